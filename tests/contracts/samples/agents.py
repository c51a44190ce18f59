"""Examples: agents, prompts and web chat channels."""

from shared.contracts import agents
from shared.contracts.base import Message
from tests.contracts.samples.basics import NUMBER_ID, USER_ID
from tests.contracts.samples.numbers import AGENT_ID

WEBCHAT_ID = "webchat_8uJ1iK3oL5pZ7xC9vB2nM4"
_WEBCHAT = {"user_id": USER_ID, "webchat_id": WEBCHAT_ID}
_PROMPT = {"user_id": USER_ID, "prompt_id": "prompt_abc123"}

EXAMPLES: tuple[Message, ...] = (
    agents.CreateAgent(
        agent_id=AGENT_ID, user_id=USER_ID, phone_number_id=NUMBER_ID, prompt_id="prompt_abc123", name="Support"
    ),
    agents.ListAgents(user_id=USER_ID),
    agents.GetAgent(agent_id=AGENT_ID),
    agents.UpdateAgent(agent_id=AGENT_ID, name="Sales Agent", debounce_ms=1500, cleared=("daily_budget",)),
    agents.DeleteAgent(agent_id=AGENT_ID),
    agents.CreatePrompt(
        work_id="work_1",
        **_PROMPT,
        instructions="You answer for {{company}}.",
        variables={"company": "Acme"},
        tools=({"type": "web_search"},),
    ),
    agents.ListPrompts(user_id=USER_ID),
    agents.GetPrompt(**_PROMPT),
    agents.UpdatePrompt(work_id="work_2", **_PROMPT, instructions="You answer in one sentence."),
    agents.DeletePrompt(**_PROMPT),
    agents.CreateWebchatChannel(
        **_WEBCHAT,
        phone_number_id="pn_webchat_1qA3wS5eD7rF9tG2yH4uJ6",
        agent_id="agent_webchat_6zX8cV1bN3mK5lJ7hG9fD2",
        name="Customer Support Chat",
        source_agent_id=AGENT_ID,
    ),
    agents.ListWebchatChannels(user_id=USER_ID),
    agents.GetWebchatChannel(webchat_id=WEBCHAT_ID),
    agents.UpdateWebchatChannel(
        webchat_id=WEBCHAT_ID,
        allowed_origins=("https://shop.example.com",),
        theme=agents.ThemeChange(primary_color="#0F766E"),
        quick_replies=("Where is my order?",),
        cleared=("language",),
    ),
    agents.DeleteWebchatChannel(webchat_id=WEBCHAT_ID),
)
