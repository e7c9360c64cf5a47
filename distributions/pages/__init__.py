"""The hosted pages, `/e/…`: what a consumer meets who has nothing but a link.

The server says what is the same for all (whose page it is, its look, all words in the visitor's language);
the script (`sdk/page`) says how this visitor stands, by the same API as everybody else. Without JavaScript
`?plain=1` does what is needed to wait, in forms.

A kind is added in three places, each of which looks like its neighbours:

1. `templates/hosted/kinds/<kind>.html`: its views (`<template data-view="draw-enter">`) and phrases
   (`<template data-phrase="draw-place">`), all in `{% translate %}`. What it doesn't have is taken from
   `templates/hosted/shared.html`: `draw-denied`, or else `denied`.
2. `sdk/page/src/kinds/<kind>.ts`: which view a visitor is shown, and what is filled into it; then a line in
   `sdk/page/src/kinds/index.ts`. `npm run page` in `sdk/` writes `distributions/static/hosted/page.js`.
3. `locale/de/LC_MESSAGES/django.po`: the German of it (`make messages` says what is missing, and writes
   the `.mo` beside it).
"""
