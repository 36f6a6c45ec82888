"""Three LitServe servers, each of which calls the next by HTTP."""

import subprocess
import sys

import httpx
import litserve


class Node(litserve.LitAPI):
    def __init__(self, following: int | None):
        super().__init__(enable_async=True)
        self.following = following

    def setup(self, device):
        self.client = httpx.AsyncClient(timeout=30)

    async def decode_request(self, request):
        return request

    async def predict(self, payload):
        payload["hops"] += 1
        if self.following is None:
            return payload
        url = f"http://127.0.0.1:{self.following}/predict"
        return (await self.client.post(url, json=payload)).json()

    async def encode_response(self, output):
        return output


def serve(port: int, following: int | None) -> None:
    server = litserve.LitServer(Node(following), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, num_api_servers=1, generate_client_file=False, log_level="warning")


def main() -> None:
    """The first node has the port, the others those after it."""
    port = int(sys.argv[1])
    if len(sys.argv) > 2:
        following = int(sys.argv[2])
        serve(port, following if following > 0 else None)
        return
    nodes = [(port, port + 1), (port + 1, port + 2), (port + 2, 0)]
    children = [
        subprocess.Popen([sys.executable, __file__, str(own), str(following)], stdin=subprocess.DEVNULL)
        for own, following in nodes
    ]
    sys.stdin.read()
    for child in children:
        child.terminate()
    for child in children:
        child.wait()


if __name__ == "__main__":
    main()
