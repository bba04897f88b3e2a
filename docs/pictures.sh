#!/usr/bin/env bash
# Draws docs/images/ again from a fresh template; needs LibreOffice Calc and poppler-utils.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/xlsizing template "$folder/template.xlsx" >/dev/null
soffice --headless "-env:UserInstallation=file://$folder/profile" \
    --convert-to pdf --outdir "$folder" "$folder/template.xlsx" >/dev/null
# The Sizing sheet is the first page: A4 landscape at 110 dpi, less its margins.
pdftoppm -r 110 -png -singlefile -f 1 -l 1 -x 90 -y 90 -W 1130 -H 560 \
    "$folder/template.pdf" docs/images/sizing
