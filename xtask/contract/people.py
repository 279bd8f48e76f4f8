"""The people of a contract run: signs them in, and keeps what they share worth looking at.

Schemathesis loads this file as its hooks. `HUTONG_API` and `HUTONG_SMS_CONTROL` say where the servers and the
simulated SMS centre are.
"""

import itertools
import json
import os
import re
import threading
import time
import uuid

import requests
import schemathesis

API = os.environ["HUTONG_API"]
CONTROL = os.environ["HUTONG_SMS_CONTROL"]

ZHANG, LI, WANG = "+8613800138001", "+8613900139002", "+8613700137003"
# Somebody new for every call that ends an account or a session; a block of their own, so that none is met twice.
strangers = itertools.count(8615000000000)

# Calls that leave their caller signed out or gone.
FAREWELLS = {
    ("DELETE", "/v1/me"),
    ("DELETE", "/v1/session"),
    ("DELETE", "/v1/me/sessions"),
    ("DELETE", "/v1/me/sessions/{id}"),
}
# Reading changes nothing that the next call rests on.
READING = {"GET", "HEAD", "OPTIONS", "TRACE"}

session = requests.Session()
session.trust_env = False


def call(method, path, token=None, **kwargs):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = session.request(method, API + path, headers=headers | kwargs.pop("headers", {}), timeout=30, **kwargs)
    if not answer.ok:
        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer


def sign_in(number):
    """Registers a number as its owner would: the code is read from the phone's screen."""
    seen = len(texts(number))
    begun = call("POST", "/v1/registrations", json={"number": number, "locale": "en"}).json()
    for _ in range(600):
        fresh = texts(number)[seen:]
        codes = [found[0] for text in fresh if (found := re.findall(r"(?<!\d)\d{6}(?!\d)", text["text"]))]
        if codes:
            path = f"/v1/registrations/{begun['registration_id']}/confirm"
            body = {"code": codes[-1], "consents": ["upload", "subscriptions"]}
            return call("POST", path, json=body).json()["token"]
        time.sleep(0.01)
    raise RuntimeError("no sign-in code has come")


def texts(number):
    return session.get(f"{CONTROL}/phones/{number}/texts", timeout=30).json()


class House:
    """Zhang, who calls, and Li and Wang, who match with them; Li shares what Zhang can order."""

    def __init__(self):
        self.lock = threading.Lock()
        self.zhang, self.li, self.wang = sign_in(ZHANG), sign_in(LI), sign_in(WANG)
        befriend(self.li, [ZHANG, WANG])
        befriend(self.wang, [ZHANG, LI])
        for one in subscriptions(self.li):
            if one["shareable"]:
                call("PUT", f"/v1/subscriptions/{one['id']}/share", self.li, json={"audience": "matches"})
        self.dirty = True
        self.mend()
        items = call("GET", "/v1/feed", self.zhang).json()["items"]
        self.shares = {item["offering"]["id"]: item["share_id"] for item in items}
        self.taps = itertools.cycle(sorted(self.shares.values()))

    def mend(self):
        """Undoes what the last call may have taken away: consents, the book, subscriptions, whom Zhang hides."""
        with self.lock:
            if not self.dirty:
                return
            for consent in ("upload", "subscriptions"):
                call("PUT", f"/v1/consents/{consent}", self.zhang, json={})
            befriend(self.zhang, [LI, WANG])
            for number in (LI, WANG):
                call("DELETE", f"/v1/hidden/{number}", self.zhang)
            self.dirty = False


def befriend(token, numbers):
    call("PUT", "/v1/book", token, json={"numbers": numbers, "confirm_shrink": True})


def subscriptions(token):
    """What the platform says they have; it says so a moment after the consent."""
    for _ in range(600):
        held = call("GET", "/v1/subscriptions", token).json()["items"]
        if held:
            return held
        time.sleep(0.01)
    raise RuntimeError("no subscription has come")


house = House()
# Registrations begun by the run itself: whose phone shows the code.
begun = {}
keys_used = set()


@schemathesis.auth(refresh_interval=None)
class Token:
    """Zhang's token, or that of somebody who can be spared."""

    def get(self, case, ctx):
        if (case.method.upper(), ctx.operation.path) in FAREWELLS:
            return sign_in(f"+{next(strangers)}")
        house.mend()
        return house.zhang

    def set(self, case, data, ctx):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Puts in what no schema can say: which cursor, code and key a call would really have."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    path, query, body = case.operation.path, case.query or {}, case.body
    if "cursor" in query:
        # `next` of a page is the only cursor there is.
        case.query["cursor"] = next_cursor(path)
        if case.query["cursor"] is None:
            del case.query["cursor"]
    if "wait_s" in query:
        # Half an hour of waiting shows no more than no waiting.
        if str(query["wait_s"]).isdigit():
            case.query["wait_s"] = min(int(query["wait_s"]), 1)
    if path == "/v1/orders" and case.method.upper() == "POST":
        # Each tap has a key of its own; the second use of one is another call's matter.
        key = (case.headers or {}).get("Idempotency-Key")
        if key in keys_used:
            case.headers["Idempotency-Key"] = str(uuid.uuid4())
        keys_used.add(key)
        # Every other tap is one of a card that Zhang really sees.
        if isinstance(body, dict) and len(keys_used) % 2:
            body["share_id"] = next(house.taps)
    if path == "/v1/registrations/{id}/confirm" and isinstance(body, dict):
        number = begun.get(str((case.path_parameters or {}).get("id")))
        codes = number and [text["text"] for text in texts(number)]
        if codes:
            body["code"] = re.findall(r"(?<!\d)\d{6}(?!\d)", codes[-1])[0]


def next_cursor(path):
    page = call("GET", path.replace("{number}", LI), house.zhang, params={"limit": 1}).json()
    return page["next"]


@schemathesis.hook
def after_call(ctx, case, response):
    if case.method.upper() not in READING and response.status_code < 300:
        house.dirty = True
    if case.operation.path == "/v1/registrations" and response.status_code == 202:
        number = json.loads(response.request.body)["number"]
        begun[response.json()["registration_id"]] = number


@schemathesis.deserializer("application/octet-stream")
def blob(ctx, response):
    return response.content.decode("latin-1")
