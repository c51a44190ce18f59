"""Message templates: what each account has, what a new account starts with, and the life of one."""
