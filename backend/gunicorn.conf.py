"""gunicorn reads this file from the folder it is started in: its own lines are the product's JSON lines too."""

import os
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # gunicorn has no types

from ems_contract import logs


class JsonLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's lines to the root logger. Requests are logged by the backend's own middleware."""

    def setup(self, cfg: Any) -> None:
        logs.configure("backend", os.environ.get("EMS_LOG_LEVEL") or "INFO")
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def reopen_files(self) -> None:
        """There are none: lines go to stderr."""


logger_class = JsonLogger
control_socket_disable = True  # one path in the home directory, for every stack on the machine
