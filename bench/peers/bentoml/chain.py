"""Three BentoML services, each of which depends on the next; `bentoml serve` starts a process for each."""

import os
import subprocess
import sys
import tempfile

import bentoml

KEEP = {"max_requests": 10**9}


@bentoml.service(workers=1, runner_connection=KEEP)
class N3:
    @bentoml.api
    async def infer(self, data: str, hops: int) -> dict:
        return {"data": data, "hops": hops + 1}


@bentoml.service(workers=1, runner_connection=KEEP)
class N2:
    following = bentoml.depends(N3)

    @bentoml.api
    async def infer(self, data: str, hops: int) -> dict:
        return await self.following.to_async.infer(data=data, hops=hops + 1)


@bentoml.service(workers=1, runner_connection=KEEP)
class N1:
    following = bentoml.depends(N2)

    @bentoml.api
    async def infer(self, data: str, hops: int) -> dict:
        return await self.following.to_async.infer(data=data, hops=hops + 1)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "BENTOML_HOME": home, "BENTOML_DO_NOT_TRACK": "true"}
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "bentoml", "serve", "chain:N1"),
                *("--host", "127.0.0.1", "--port", sys.argv[1]),
            ],
            cwd=os.path.dirname(os.path.abspath(__file__)),
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        sys.stdin.read()
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
