#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now parley.service parley-http.socket parley-http-redirect.socket
fi
