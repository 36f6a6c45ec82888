"""``python -m kre_runner <socket path>``: a worker for the node-runner that listens there."""

import sys

EXIT_USAGE = 64
EXIT_CONFIG = 78


def main() -> int:
    # Imported late: the working directory, where the bundle may have a file named like one of these, is off the path.
    import signal

    if len(sys.argv) != 2:
        print("usage: python -m kre_runner <path of the runner's socket>", file=sys.stderr)
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
    install_last_resort()
    return run_worker(sys.argv[1])


if __name__ == "__main__":
    # Python put the working directory, the bundle's root, before its own library. It comes back behind it.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    sys.exit(main())
