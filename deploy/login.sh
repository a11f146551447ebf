#!/bin/sh
# Gives Codex its model credentials: the key in OPENAI_API_KEY where there is one, else a login with a code in a browser.
set -eu
if [ -n "${OPENAI_API_KEY:-}" ]; then
  printenv OPENAI_API_KEY | codex login --with-api-key
else
  codex login --device-auth
fi
