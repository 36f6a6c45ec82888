"""The Python SDK and worker of KRE nodes.

A handler file needs nothing of it: what it uses comes as ``ctx``. It imports from here what it raises::

    from kre_runner import RetryableError, TerminalError

``kre_runner.testing.run_handler`` runs a handler in a test, without a broker.
"""

from .handler_errors import PayloadError, RetryableError, ServiceError, TerminalError

__all__ = ["PayloadError", "RetryableError", "ServiceError", "TerminalError"]
__version__ = "0.1.0"
