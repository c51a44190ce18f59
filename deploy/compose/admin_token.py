"""`docker compose exec gateway python -m deploy.compose.admin_token`: print a bearer token for /admin, for an hour."""

import os

from deploy.local.admin_token import admin_token

if __name__ == "__main__":
    print(admin_token(os.environ))
