"""The TM Forum documents as the faces speak them: what they take beyond the documents, and who calls.

Schemathesis loads this file as its hooks. `HUTONG_OPERATOR_TOKEN` is a token of the operator's.
"""

import os

import requests
import schemathesis

TOKEN = os.environ["HUTONG_OPERATOR_TOKEN"]

# A change says what is changed: nothing has to be there.
CHANGES = {"ProductOrder_Update", "Product_Update", "CommunicationMessage_Update"}


@schemathesis.hook
def before_load_schema(ctx, raw_schema):
    """Writes into the document what it leaves out."""
    for name, definition in raw_schema["definitions"].items():
        # Deployed clients leave out what begins with @, and are understood.
        required = [member for member in definition.get("required", []) if not member.startswith("@")]
        if name in CHANGES or not required:
            definition.pop("required", None)
        else:
            definition["required"] = required
    for path in raw_schema["paths"].values():
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
            known = session.get(case.operation.base_url + path.removesuffix("/{id}"), timeout=30).json()
            if known:
                case.path_parameters["id"] = known[asked % len(known)]["id"]
