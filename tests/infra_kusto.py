"""KQL without Azure: Microsoft's own language service for grammar and names, and DuckDB for what a query finds."""

import json
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import duckdb_kql

PROJECT = Path(__file__).resolve().parents[1]
QUERIES = tuple(sorted((PROJECT / "infra/queries").glob("*.kql")))

# As far as the queries use them: the columns that Azure Monitor documents for its tables.
TABLES = {
    "AppTraces": {"TimeGenerated": "datetime", "Message": "string"},
    "AppExceptions": {"TimeGenerated": "datetime", "OuterMessage": "string", "InnermostMessage": "string"},
    "FunctionAppLogs": {"TimeGenerated": "datetime", "Message": "string", "ExceptionMessage": "string"},
    "StorageQueueLogs": {
        "TimeGenerated": "datetime",
        "OperationName": "string",
        "Uri": "string",
        "StatusCode": "string",
    },
}
_SQL = {"datetime": "TIMESTAMPTZ", "string": "VARCHAR"}

_CHECK = """
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
const {tables, queries} = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const {KustoCode, GlobalState, Symbols} = Kusto.Language;
const symbols = Object.entries(tables).map(([name, columns]) => Symbols.TableSymbol.From(
    '(' + Object.entries(columns).map(([column, type]) => `${column}: ${type}`).join(', ') + ')').WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1('workspace', symbols));
const found = queries.map(query => {
    const said = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
    return Array.from({length: said.Count}, (_, i) => said.getItem(i)).map(one => `${one.Severity}: ${one.Message}`);
});
console.log(JSON.stringify(found));
"""


def complaints(queries: Iterable[str]) -> list[list[str]]:
    """What Microsoft's language service says of each query; nothing where it is well."""
    given = json.dumps({"tables": TABLES, "queries": list(queries)})
    answer = subprocess.run(
        ["node", "-e", _CHECK], cwd=PROJECT, input=given, check=True, capture_output=True, text=True
    )
    found: list[list[str]] = json.loads(answer.stdout)
    return found


class Workspace:
    """The tables of a Log Analytics workspace."""

    def __init__(self) -> None:
        self._connection = duckdb_kql.connect()
        for name, columns in TABLES.items():
            typed = ", ".join(f"{column} {_SQL[kind]}" for column, kind in columns.items())
            self._connection.sql(f"CREATE TABLE {name} ({typed})")

    def add(self, table: str, *, at: datetime | None = None, **values: str) -> None:
        row = {"TimeGenerated": at or datetime.now(UTC)} | values
        cells = [row.get(column, "") for column in TABLES[table]]
        self._connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(cells))})", cells)

    def query(self, name: str) -> list[dict[str, Any]]:
        """The rows that infra/queries/<name>.kql finds."""
        text = (PROJECT / f"infra/queries/{name}.kql").read_text(encoding="utf-8")
        found: duckdb.DuckDBPyRelation = duckdb_kql.query(self._connection, text)
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
