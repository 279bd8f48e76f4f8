"""The TM Forum documents as the faces speak them: what they take beyond the documents, and who calls.

Schemathesis loads this file as its hooks. `HUTONG_OPERATOR_TOKEN` is a token of the operator's.
"""

import os

import requests
import schemathesis

TOKEN = os.environ["HUTONG_OPERATOR_TOKEN"]

ORDERS = os.environ["HUTONG_API"] + "/tmf-api/productOrderingManagement/v4/productOrder"
OFFERINGS = ["crbt", "data10", "reading", "health", "none"]

# What is not served, and is left out of the documents. What a listener is told is told to others: those paths are
# theirs to serve. The catalogue is the operator's seed, read here; what it does not hold is not there.
NOT_SERVED = [
    ("*", "/listener/"),
    ("*", "/catalog"),
    ("*", "/category"),
    ("*", "/productOfferingPrice"),
    ("*", "/productSpecification"),
    ("*", "/importJob"),
    ("*", "/exportJob"),
    ("post", "/productOffering"),
    ("patch", "/productOffering/{id}"),
    ("delete", "/productOffering/{id}"),
]

# A projection leaves out what the document wants of the whole; the tests of the platform hold whole answers against it.
PROJECTED = {"ProductOrder", "CancelProductOrder"}

# A change says what is changed: nothing has to be there.
CHANGES = {"ProductOrder_Update", "Product_Update", "CommunicationMessage_Update"}


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    """Writes into the document what it leaves out."""
    paths = raw_schema["paths"]
    for method, prefix in NOT_SERVED:
        if method != "*":
            paths.get(prefix, {}).pop(method, None)
            continue
        for path in [path for path in paths if path.startswith(prefix)]:
            del paths[path]
    for name, definition in raw_schema["definitions"].items():
        # Deployed clients leave out what begins with @, and are understood.
        required = [member for member in definition.get("required", []) if not member.startswith("@")]
        if name in CHANGES | PROJECTED or not required:
            definition.pop("required", None)
        else:
            definition["required"] = required
    for path in paths.values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                # TMF630: how many to leave out, and how many at most.
                if parameter.get("in") == "query" and parameter["name"] in ("offset", "limit"):
                    parameter["minimum"] = 0


session = requests.Session()
session.trust_env = False
session.headers["Authorization"] = f"Bearer {TOKEN}"
asked = 0


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Shows the token, and asks for what is there as often as for what is not."""
    global asked
    case.headers = case.headers or {}
    case.headers["Authorization"] = f"Bearer {TOKEN}"
    path = case.operation.path
    if path.endswith("/{id}") and not path.startswith("/hub"):
        asked += 1
        if asked % 2:
            some = {"limit": 9, "offset": asked % 3, "fields": "id"}
            known = session.get(case.operation.base_url + path.removesuffix("/{id}"), params=some, timeout=30).json()
            if known:
                case.path_parameters["id"] = known[asked % len(known)]["id"]
    if case.method.upper() == "POST" and case.meta is not None and case.meta.generation.mode.is_positive:
        asked += 1
        fill(path, case.body)


def fill(path, body):
    """Puts in what no schema can say: numbers, offerings and orders that there are."""
    number, offering = f"+86138001380{asked % 50:02}", {"id": OFFERINGS[asked % len(OFFERINGS)]}
    if path == "/productOrder" and asked % 2:
        body["relatedParty"] = [{"id": number, "role": "customer", "@referredType": "Individual"}]
        body["productOrderItem"][0] |= {"action": "add", "productOffering": offering}
    if path == "/product" and asked % 2:
        party = {"id": number, "role": "customer", "@referredType": "Individual"}
        body |= {"productOffering": offering, "relatedParty": [party], "productPrice": []}
        body |= {"startDate": "2026-01-01T00:00:00Z"}
    if path == "/communicationMessage" and asked % 2:
        body |= {"messageType": "SMS", "receiver": [{"phoneNumber": number}, {}]}
    if path == "/cancelProductOrder":
        known = session.get(ORDERS, params={"state": "pending", "limit": 1, "fields": "id"}, timeout=30).json()
        if known:
            body["productOrder"]["id"] = known[0]["id"]
