"""The route of the titles of lists: an export knows its list by its id only."""

from fastapi import APIRouter

from shared.checks.list_titles import ListTitles
from shared.web.request_parts import AS_VIEWER, Wired, answers

router = APIRouter(tags=["exports"])
_titles = ListTitles()


@router.get("/list-titles", dependencies=[AS_VIEWER], responses=answers())
def get_list_titles(app: Wired) -> dict[str, str]:
    """The title of the list of each export, by the export's id; what Campaign Monitor does not tell now is missing.
    Titles may be ten minutes old."""
    exports = list(app.catalog.exports())
    used = {export.connection for export in exports}
    connections = [one for one in app.catalog.connections() if one.id in used and one.consent]
    titles = _titles.of(app, connections)
    found = {export.id: titles.get(export.connection or "", {}).get(export.list_id) for export in exports}
    return {id_: title for id_, title in found.items() if title}
