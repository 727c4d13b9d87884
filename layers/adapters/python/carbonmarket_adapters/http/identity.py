"""Who calls: a development token on one machine, Cognito's claims behind API Gateway.

The proof is asked for here, in the function, too: a route that were deployed without its authorizer has no
claims and refuses everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carbonmarket.errors import NotAuthenticated
from carbonmarket.records.principal import ROLES, Principal
from carbonmarket.settings import Settings


def principal(request: Any, settings: Settings) -> Principal:
    """The caller of a Chalice request; NotAuthenticated says what is wrong with the proof."""
    if settings.authorizer == "development":
        return _of_development_token(request.headers.get("authorization", ""), settings.development_key)
    claims = (request.context.get("authorizer") or {}).get("claims")
    if not claims:
        raise NotAuthenticated("the request carries no identity; send a token of the user pool")
    return _of_cognito(claims)


def _of_development_token(header: str, key: str) -> Principal:
    import jwt

    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("send the header Authorization: Bearer with a token")
    try:
        claims = jwt.decode(
            token, key, algorithms=["HS256"], options={"require": ["exp", "sub", "org", "roles"]}
        )
    except jwt.InvalidTokenError as error:
        raise NotAuthenticated(f"the token was refused: {error}") from None
    if not isinstance(claims["org"], str) or not isinstance(claims["roles"], list):
        raise NotAuthenticated("the token's org must be a text and its roles a list")
    return Principal(subject=claims["sub"], organisation=claims["org"], roles=_known(claims["roles"]))


def _of_cognito(claims: Mapping[str, str]) -> Principal:
    organisation = claims.get("custom:organisation", "")
    if not organisation:
        raise NotAuthenticated("the user belongs to no organisation yet")
    # API Gateway hands the group list over as one text: "developer,reviewer" or "[developer reviewer]".
    groups = claims.get("cognito:groups", "").strip("[]").replace(",", " ").split()
    return Principal(subject=claims["sub"], organisation=organisation, roles=_known(groups))


def _known(names: list[str]) -> frozenset[str]:
    return ROLES & set(names)
