"""A local HTTP server that answers as feeds and nodes do, and as broken ones do."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One question to the server; the answers are functions of it."""

    server: "Node"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answered(None)

    def do_POST(self) -> None:
        self.answered(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answered(self, body: Any) -> None:
        self.body = body
        self.server.asked.append((self.path, body))
        answer = self.server.answers.get(self.path.split("?")[0], self.server.otherwise)
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def say(self, text: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(text))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: Any) -> None:
        """Nobody reads a test server's log."""


class Node(ThreadingHTTPServer):
    """Answers by path; `answers` may be changed while it runs, `asked` is what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, answers: dict[str, Answer], otherwise: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.answers, self.otherwise = answers, otherwise
        self.asked: list[tuple[str, Any]] = []
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.server_address[1]}"


def not_there(asked: Asked) -> None:
    asked.say(b'{"code": 404, "message": "not there"}', 404)


def says(document: Any) -> Answer:
    """Answer with a document."""
    return lambda asked: asked.say(json.dumps(document).encode())


def writes(text: str) -> Answer:
    """Answer with this very text."""
    return lambda asked: asked.say(text.encode())


@contextmanager
def node(
    answers: dict[str, Answer], otherwise: Answer = not_there, certificate: Path | None = None
) -> Iterator[Node]:
    """A server for the length of a block; with a certificate (and its key in one file) it speaks TLS."""
    server = Node(answers, otherwise)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def seconds_ago(seconds: int = 60) -> int:
    """An instant of the machine's clock, as nodes tell it."""
    return int(time.time()) - seconds


def feed(apr: object, at: object = None) -> dict[str, Answer]:
    """A JSON feed that gives its figure at /rates/0/apr, and of when it is at /at."""
    return {
        "/feed": says({"rates": [{"coin": "SOL", "apr": apr}], "at": at or datetime.now(UTC).isoformat()})
    }


def solana(
    inflation: float = 0.0391, total: int = 600 * 10**15, staked: int = 400 * 10**15
) -> dict[str, Answer]:
    """A Solana node: JSON-RPC on one path, amounts in lamports."""
    account = {
        "votePubkey": "3ZT31jkAGhUaw8jsy4bTknwBMP8i4Eueh52By4zXcsVw",
        "nodePubkey": "B97CCUW3AEZFGy6uUg6zUdnNYvnVq5VG8PUtb2HayTDD",
        "epochVoteAccount": True,
        "commission": 5,
        "lastVote": 334_000_147,
        "rootSlot": 334_000_100,
        "epochCredits": [[773, 64, 0], [774, 192, 64]],
    }
    results: dict[str, Any] = {
        "getInflationRate": {"epoch": 774, "foundation": 0.0, "total": inflation, "validator": inflation},
        "getSupply": {
            "context": {"apiVersion": "2.2.7", "slot": 334_000_200},
            "value": {
                "circulating": total - 70 * 10**15,
                "nonCirculating": 70 * 10**15,
                "nonCirculatingAccounts": [],
                "total": total,
            },
        },
        "getVoteAccounts": {
            "current": [
                account | {"activatedStake": staked - 10**15},
                account | {"activatedStake": 10**15 - 1},
            ],
            "delinquent": [account | {"activatedStake": 1}],
        },
        "getBlockTime": seconds_ago(),
    }

    def rpc(asked: Asked) -> None:
        if asked.body["method"] in results:
            answer: dict[str, Any] = {
                "jsonrpc": "2.0",
                "id": asked.body["id"],
                "result": results[asked.body["method"]],
            }
        else:
            answer = {
                "jsonrpc": "2.0",
                "id": asked.body["id"],
                "error": {"code": -32601, "message": "Method not found"},
            }
        asked.say(json.dumps(answer).encode())

    return {"/rpc": rpc}


def beacon(total_gwei: int = 34_000_000 * 10**9, epoch: int | None = None) -> dict[str, Answer]:
    """A beacon node of a network where this much is staked and everybody attests without fault."""
    genesis = 1_606_824_023
    finalized = (seconds_ago(900) - genesis) // 384 if epoch is None else epoch
    per_increment = 10**9 * 64 // isqrt(total_gwei)
    ideals = [
        {
            "effective_balance": str(coins * 10**9),
            "head": str(per_increment * coins * 14 // 64),
            "target": str(per_increment * coins * 26 // 64),
            "source": str(per_increment * coins * 14 // 64),
            "inclusion_delay": "0",
            "inactivity": "0",
        }
        for coins in range(1, 33)
    ]
    checkpoints = {
        name: {"epoch": str(finalized + more), "root": "0x" + "ab" * 32}
        for name, more in (("previous_justified", 1), ("current_justified", 1), ("finalized", 0))
    }
    more = {"execution_optimistic": False, "finalized": True}
    mine = {"validator_index": "0", "head": "1", "target": "1", "source": "1", "inactivity": "0"}
    rewards = {"data": {"ideal_rewards": ideals, "total_rewards": [mine]}} | more
    return {
        "/eth/v1/beacon/states/head/finality_checkpoints": says({"data": checkpoints} | more),
        f"/eth/v1/beacon/rewards/attestations/{finalized}": says(rewards),
        "/eth/v1/beacon/genesis": says(
            {
                "data": {
                    "genesis_time": str(genesis),
                    "genesis_validators_root": "0x" + "cd" * 32,
                    "genesis_fork_version": "0x00000000",
                }
            }
        ),
    }


def isqrt(number: int) -> int:
    """The integer square root, by Newton's method as the consensus specification writes it."""
    x, y = number, (number + 1) // 2
    while y < x:
        x, y = y, (y + number // y) // 2
    return x


def cosmos(
    provisions: str = "39000000000000.123456789012345678", tax: str = "0.020000000000000000"
) -> dict[str, Answer]:
    """A Cosmos node's REST API; amounts in the smallest unit, decimals with eighteen places."""
    block_time = datetime.fromtimestamp(seconds_ago(), UTC).strftime("%Y-%m-%dT%H:%M:%S") + ".123456789Z"
    tendermint = "/cosmos/base/tendermint/v1beta1/blocks/latest"
    return {
        "/cosmos/mint/v1beta1/annual_provisions": says({"annual_provisions": provisions}),
        "/cosmos/distribution/v1beta1/params": says(
            {
                "params": {
                    "community_tax": tax,
                    "base_proposer_reward": "0.000000000000000000",
                    "bonus_proposer_reward": "0.000000000000000000",
                    "withdraw_addr_enabled": True,
                }
            }
        ),
        "/cosmos/staking/v1beta1/pool": says(
            {"pool": {"not_bonded_tokens": "145000000000000", "bonded_tokens": "245000000000000"}}
        ),
        tendermint: says(
            {"block": {"header": {"chain_id": "hub", "height": "22222222", "time": block_time}}}
        ),
    }
