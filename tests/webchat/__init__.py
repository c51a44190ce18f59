"""Web chats: the transport over HTTP, and the widget in a real browser."""
