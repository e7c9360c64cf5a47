"""Settings of distributions as the hot paths see them: read-only, at most a second old.

Always asked with the organization, so that another tenant's id is not there. What must be exact at
commit is guarded in the statements or re-read under a lock by the rules.
"""

from distributions.core.models import Distribution
from fanfare import errors, ids
from fanfare.memo import Memo


def get(distribution_id: str, organization_id: str, kind: str, prefix: str, title: str) -> Distribution:
    """The organization's distribution of that kind. Raises NotFound, whatever the reason."""
    found = None
    if ids.is_id(distribution_id, prefix):
        found = _memo.get((distribution_id, organization_id, kind))
    if found is None:
        raise errors.NotFound(title)
    return found


def forget() -> None:
    """See a change of this process at once."""
    _memo.forget()


def renew(distribution: Distribution) -> Distribution:
    """As it is stored now, which is remembered from now on."""
    _memo.forget()
    found = _memo.get((distribution.pk, distribution.organization_id, distribution.kind))
    return found or distribution


def _load(key: tuple[str, str, str]) -> Distribution | None:
    distribution_id, organization_id, kind = key
    return (
        Distribution.objects.select_related(kind, "tally", "drawing", "organization", "sequence__experience")
        .filter(pk=distribution_id, organization_id=organization_id, kind=kind)
        .first()
    )


_memo: Memo[tuple[str, str, str], Distribution] = Memo(_load)
