"""What every page of the console brings along beside unfold's own look."""

import re

from django.contrib.staticfiles import finders

from tests.console.conftest import Console


def test_own_style_comes_with_every_page_and_hides_the_note_about_clocks(owner: Console) -> None:
    for url in ("/admin/", "/admin/experiences/experience/add/", "/admin/account/"):
        found = re.search(r'href="/static/(fanfare/console[^"]*\.css)"', owner.get(url).content.decode())
        assert found is not None, url
        path = finders.find(found[1])
        assert isinstance(path, str)
        with open(path) as file:
            assert ".help.timezonewarning { display: none; }" in file.read()
