"""Three Ray Serve deployments, each of which calls the next through its handle."""

import sys

import ray
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=1, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0.1})
class Node:
    def __init__(self, following=None):
        self.following = following

    async def infer(self, payload: dict) -> dict:
        payload["hops"] += 1
        return payload if self.following is None else await self.following.infer.remote(payload)

    async def __call__(self, request: Request) -> dict:
        return await self.infer(await request.json())


def main() -> None:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    last = Node.options(name="n3").bind()
    serve.run(Node.options(name="n1").bind(Node.options(name="n2").bind(last)))
    sys.stdin.read()
    serve.shutdown()
    ray.shutdown()


main()
