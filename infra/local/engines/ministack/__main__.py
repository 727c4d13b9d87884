"""``python -m infra.local.engines.ministack``: ministack with its state saved each second.

By itself it saves at a clean end only, so a kill would lose queues, keys and objects' retention.
"""

from __future__ import annotations

import logging
import threading
import time

from ministack import app
from ministack.core.persistence import save_all

_SAVE_EVERY_SECONDS = 1.0


def _save_for_ever() -> None:
    while True:
        time.sleep(_SAVE_EVERY_SECONDS)
        try:
            save_all(app._build_persistence_save_dict())
        except RuntimeError as error:
            # A store that changed while it was read is saved whole a second later.
            logging.getLogger(__name__).info("state is saved again in a second: %s", error)


if __name__ == "__main__":
    threading.Thread(target=_save_for_ever, daemon=True, name="save-state").start()
    app.main()
