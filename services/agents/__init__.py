"""agents: who answers customers, and how.

Does     keeps agents, their prompts and web chat channels; binds an agent to its number, which messaging decides;
         answers customers once, through OpenAI's Responses API, and gives way to whatever outdates an answer.
Owns     turns, agent_days, agents, prompts, webchat_channels, webchat_sessions, webchat_identities.
Listens  MessagesReceived, ConversationHandlingChanged, ConsentsChanged.
Sends    SendMessage, HandOverConversation, MarkConversationRead, and asks for GetConversationContext, FetchMedia,
         ReadMedia; text deltas on the exchange wa.stream; LinkAgent, UnlinkAgent, AddPhoneNumber and DeletePhoneNumber
         (those of web chats).
Answers  GetTurn; CreateAgent, ListAgents, GetAgent, UpdateAgent, DeleteAgent; CreatePrompt, ListPrompts, GetPrompt,
         UpdatePrompt, DeletePrompt; CreateWebchatChannel, ListWebchatChannels, GetWebchatChannel,
         UpdateWebchatChannel, DeleteWebchatChannel; OpenWebchatSession, GetWebchatSession, SetWebchatIdentity.
HTTP     operations on AGENTS_OPS_BIND.
"""
