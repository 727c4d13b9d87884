"""``python -m infra.local.engines.ministack``: ministack with its state saved each second.

By itself it saves at a clean end only, and never objects' retention, legal holds and tags; a kill would
lose queues and keys, and even a clean end would unlock every object.
"""

from __future__ import annotations

import logging
import threading
import time

from ministack import app
from ministack.core.persistence import save_all
from ministack.services import s3

_SAVE_EVERY_SECONDS = 1.0


def _keep_locks() -> None:
    s3._PERSISTED_BUCKET_DICTS.update(
        object_retention=s3._object_retention,
        object_legal_hold=s3._object_legal_hold,
        object_tags=s3._object_tags,
    )


def _save_for_ever() -> None:
    while True:
        time.sleep(_SAVE_EVERY_SECONDS)
        try:
            save_all(app._build_persistence_save_dict())
        except RuntimeError as error:
            # A store that changed while it was read is saved whole a second later.
            logging.getLogger(__name__).info("state is saved again in a second: %s", error)


if __name__ == "__main__":
    _keep_locks()
    threading.Thread(target=_save_for_ever, daemon=True, name="save-state").start()
    app.main()
