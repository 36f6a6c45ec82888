"""``python <path of this file> <socket path>``: a worker for the node-runner that listens there.

Started by its path and not by ``-m kre_runner``, because ``-m`` looks in the working directory first: that is the
bundle's root, which may have a ``kre_runner`` or a ``runpy.py`` of its own.
"""

import sys

EXIT_USAGE = 64
EXIT_CONFIG = 78


def main() -> int:
    # Imported late: the folder that Python puts first on the path, this one or the working directory, is off it.
    import os
    import signal

    if len(sys.argv) != 2:
        print(f"usage: python {sys.argv[0]} <path of the runner's socket>", file=sys.stderr)
        return EXIT_USAGE
    # Ctrl-C in a terminal reaches every process; the runner decides what becomes of its worker.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        from kre_runner.node_logger import install_last_resort
        from kre_runner.worker import run_worker
    except ImportError as error:
        from kre_runner.missing_package import report_missing_package

        report_missing_package(sys.argv[1], error)
        return EXIT_CONFIG
    # Loaded, it is not needed in front: what lies beside it would take the place of the bundle's modules.
    sdk = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [*(path for path in sys.path if path != sdk), sdk]
    install_last_resort()
    return run_worker(sys.argv[1])


if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    sys.exit(main())
