"""Counts mutual pairs with DuckDB and Polars, one run at a time when told to on stdin; answers in JSON lines."""

import json
import os
import sys
import time

edges_file, threads = sys.argv[1], sys.argv[2]
os.environ["POLARS_MAX_THREADS"] = threads

import duckdb
import numpy
import polars

raw = numpy.fromfile(edges_file, dtype="<u8").reshape(-1, 2)
owner, contact = numpy.ascontiguousarray(raw[:, 0]), numpy.ascontiguousarray(raw[:, 1])
del raw
columns = {"owner": owner, "contact": contact}
edge_count = len(owner)
database = duckdb.connect()
database.execute(f"SET threads = {int(threads)}")
machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
# Ours and the other peer stand beside it; it took 25 bytes an edge at 180 million, so that this is no burden.
database.execute(f"SET memory_limit = '{machine * 45 // 100 >> 20}MiB'")
database.execute("CREATE TABLE edges AS SELECT owner, contact FROM columns")
# Polars takes some 60 bytes an edge and keeps them: where that is over half of the machine, only DuckDB takes part.
with_polars = edge_count * 100 <= machine // 2
frame = polars.DataFrame(columns) if with_polars else None
del owner, contact, columns

DUCKDB = {
    "join": """SELECT count(*) FROM edges a JOIN edges b ON a.owner = b.contact AND a.contact = b.owner
               WHERE a.owner < a.contact""",
    "halves": """SELECT count(*) FROM (SELECT owner, contact FROM edges WHERE owner < contact) a
                 JOIN (SELECT owner, contact FROM edges WHERE owner > contact) b
                 ON a.owner = b.contact AND a.contact = b.owner""",
    "semi join": """SELECT count(*) FROM (SELECT * FROM edges WHERE owner < contact) a SEMI JOIN
                    (SELECT * FROM edges WHERE owner > contact) b ON a.owner = b.contact AND a.contact = b.owner""",
    "registered first": """WITH owners AS (SELECT DISTINCT owner AS one FROM edges),
                           known AS (SELECT owner, contact FROM edges SEMI JOIN owners ON contact = one)
                           SELECT count(*) FROM (SELECT * FROM known WHERE owner < contact) a
                           SEMI JOIN (SELECT * FROM known WHERE owner > contact) b
                           ON a.owner = b.contact AND a.contact = b.owner""",
    "group": """SELECT count(*) FROM (SELECT 1 FROM edges GROUP BY least(owner, contact), greatest(owner, contact)
                HAVING count(*) = 2)""",
}


def polars_join(how, engine):
    lazy = frame.lazy()
    forward = lazy.filter(polars.col("owner") < polars.col("contact"))
    backward = lazy.filter(polars.col("owner") > polars.col("contact"))
    joined = forward.join(backward, left_on=["owner", "contact"], right_on=["contact", "owner"], how=how)
    return joined.select(polars.len()).collect(engine=engine).item()


POLARS = {
    f"{how} join, {engine}": (how, engine) for how in ("semi", "inner") for engine in ("in-memory", "streaming")
}


def run_duckdb(query):
    return database.execute(DUCKDB[query]).fetchone()[0]


def run_polars(name):
    return polars_join(*POLARS[name])


def memory(field):
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith(field)), 0)


def timed(run, name):
    try:
        with open("/proc/self/clear_refs", "w") as peak:
            peak.write("5")
    except OSError:
        pass
    before, start = memory("VmRSS"), time.perf_counter()
    pairs = run(name)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "pairs": pairs, "bytes": max(0, memory("VmHWM") - before), "how": name}


def best(run, names):
    found = {}
    for name in names:
        try:
            run_of = timed(run, name)
            found[run_of["seconds"]] = name
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
    return found[min(found)]


peers, versions = {"duckdb": (run_duckdb, best(run_duckdb, DUCKDB))}, {"duckdb": duckdb.__version__}
if with_polars:
    peers["polars"], versions["polars"] = (run_polars, best(run_polars, POLARS)), polars.__version__
versions |= {f"{name}_how": how for name, (_, how) in peers.items()}
print(json.dumps({"what": "ready", "edges": edge_count, "versions": versions}), flush=True)
for line in sys.stdin:
    print(json.dumps(timed(*peers[line.strip()])), flush=True)
