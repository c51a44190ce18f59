"""Who calls: the version in the path and the token, as Meta checks them before anything else."""

from aiohttp import web

from ..errors import GraphError
from ..magic import check_token

VERSIONS = frozenset(f"v{number}.0" for number in range(21, 27))


def check_access(request: web.Request, *, adopts_any_token: bool = True) -> str:
    """The caller's token. Raises 2635 for a version, 104 without a token, 190 and others for a bad one."""
    version = request.match_info["version"]
    if version not in VERSIONS:
        raise GraphError(
            2635, message=f"(#2635) You are calling a version of the Graph API that does not exist: {version}"
        )
    token = _token(request)
    if not token:
        raise GraphError(104, message="(#104) This method requires an access token with a valid signature")
    if not adopts_any_token and not token.startswith("EAA"):
        raise GraphError(190, message="Invalid OAuth access token - Cannot parse access token", subcode=467)
    check_token(token)
    return token


def _token(request: web.Request) -> str:
    header = request.headers.get("Authorization")
    if header is None:
        return request.query.get("access_token", "")
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme in ("Bearer", "OAuth") else ""
