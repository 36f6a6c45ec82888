"""``python -m kre_runner <socket path>``: a worker for the node-runner that listens there."""

import sys

if __name__ == "__main__":
    # Python put the working directory, the bundle's root, before its own library. It comes back behind it.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]

    import signal

    from kre_runner.node_logger import install_last_resort
    from kre_runner.worker import run_worker

    if len(sys.argv) != 2:
        print("usage: python -m kre_runner <path of the runner's socket>", file=sys.stderr)
        sys.exit(64)
    # Ctrl-C in a terminal reaches every process; the runner decides what becomes of its worker.
    signal.signal(signal.SIGINT, lambda *_: None)
    install_last_resort()
    sys.exit(run_worker(sys.argv[1]))
