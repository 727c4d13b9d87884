"""The localnet's ASGI applications: the Aptos REST API, and the faucet on its own port."""

from __future__ import annotations

from infra.local.chain.blocks import BlockMaker
from infra.local.chain.errors import ApiError
from infra.local.chain.faucet import Faucet
from infra.local.chain.http import (
    Headers,
    Receive,
    Response,
    Router,
    Scope,
    Send,
    error_response,
    read_request,
    send_response,
)
from infra.local.chain.ledger import Ledger
from infra.local.chain.reads import Reads
from infra.local.chain.render import Renderer
from infra.local.chain.writes import Writes

# Browsers' wallets ask from pages of other origins; the port is reachable from this machine only.
_OPEN: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-expose-headers", b"*"),
]


class NodeApp:
    """The REST API under /v1, and the localnet's own calls under /localnet."""

    def __init__(self, ledger: Ledger, blocks: BlockMaker) -> None:
        self._ledger = ledger
        self._router = Router()
        renderer = Renderer(ledger)
        reads = Reads(ledger, renderer, blocks)
        reads.add_to(self._router)
        Writes(ledger, renderer, blocks, reads).add_to(self._router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await _answer(self._router, scope, receive)
        await send_response(send, response, [*_OPEN, *self._ledger_headers()])

    def _ledger_headers(self) -> Headers:
        """Where the chain stands, with every answer, as on Aptos."""
        ledger = self._ledger
        values = {
            b"x-aptos-chain-id": ledger.chain_id,
            b"x-aptos-ledger-version": ledger.version,
            b"x-aptos-ledger-oldest-version": 0,
            b"x-aptos-ledger-timestampusec": ledger.clock.now(),
            b"x-aptos-epoch": 1,
            b"x-aptos-block-height": ledger.last_block.height,
            b"x-aptos-oldest-block-height": 0,
        }
        return [(name, b"%d" % value) for name, value in values.items()]


class FaucetApp:
    """Gives APT to whoever asks."""

    def __init__(self, faucet: Faucet) -> None:
        self._router = Router()
        self._router.add("GET", "/", faucet.healthy)
        self._router.add("POST", "/mint", faucet.mint)
        self._router.add("POST", "/fund", faucet.fund)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_response(send, await _answer(self._router, scope, receive), _OPEN)


async def _answer(router: Router, scope: Scope, receive: Receive) -> Response:
    if scope["method"] == "OPTIONS":
        return Response(b"", 204, "text/plain")
    try:
        request = await read_request(scope, receive)
    except ApiError as error:
        return error_response(error)
    return await router.answer(request)
