"""agents: who answers customers, and how.

Does     keeps agents, their prompts and web chat channels; binds an agent to its number, which messaging decides.
Owns     agents, prompts, webchat_channels.
Sends    LinkAgent, UnlinkAgent, AddPhoneNumber and DeletePhoneNumber (those of web chats).
Answers  CreateAgent, ListAgents, GetAgent, UpdateAgent, DeleteAgent; CreatePrompt, ListPrompts, GetPrompt,
         UpdatePrompt, DeletePrompt; CreateWebchatChannel, ListWebchatChannels, GetWebchatChannel,
         UpdateWebchatChannel, DeleteWebchatChannel.
HTTP     operations on AGENTS_OPS_BIND.
"""
