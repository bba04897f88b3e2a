#!/usr/bin/env bash
# Draws docs/images/ again from a fresh template: every sheet on a screen of 1366 x 768, and
# every printed page. Needs LibreOffice Calc, poppler-utils, Xvfb, ImageMagick and Carlito.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rm -f docs/images/*.png
.venv/bin/xlsizing template "$folder/template.xlsx" --lang en >/dev/null
.venv/bin/python docs/screens.py "$folder/template.xlsx" docs/images
soffice --headless "-env:UserInstallation=file://$folder/profile" \
    --convert-to pdf --outdir "$folder" "$folder/template.xlsx" >/dev/null
pdftoppm -r 72 -png "$folder/template.pdf" "$folder/page"
mogrify +dither -colors 40 -strip "$folder"/page-*.png
mv "$folder"/page-*.png docs/images/
# The picture of the README: the first page without its margins.
pdftoppm -r 130 -png -singlefile -f 1 -l 1 "$folder/template.pdf" "$folder/sizing"
convert "$folder/sizing.png" -trim -bordercolor white -border 12 -colors 128 docs/images/sizing.png
# The first page of a report's own sheet, which comes after the three of Sizing.
.venv/bin/xlsizing report "$folder/report.xlsx" --pdf --model gpt-oss-120b --server dgx-b300 \
    --storage profile_default --concurrency 1000 --effective-context 131072 --ha n+1 --lang en >/dev/null
pdftoppm -r 90 -png -singlefile -f 4 -l 4 "$folder/report.pdf" "$folder/report"
convert "$folder/report.png" -trim -bordercolor white -border 12 -colors 64 docs/images/report.png
# The sheets that the button "Full report" makes, as far as LibreOffice draws them.
.venv/bin/python -m tests.excel.report.drawn "$folder/full-report.xlsx"
soffice --headless "-env:UserInstallation=file://$folder/profile" \
    --convert-to pdf --outdir "$folder" "$folder/full-report.xlsx" >/dev/null
for page in 1:full-report 4:full-report-warnings 5:full-report-charts; do
    number=${page%%:*} name=${page#*:}
    pdftoppm -r 100 -png -singlefile -f "$number" -l "$number" "$folder/full-report.pdf" "$folder/$name"
    convert "$folder/$name.png" -trim -bordercolor white -border 12 -colors 128 "docs/images/$name.png"
done
