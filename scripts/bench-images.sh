#!/usr/bin/env bash
# Measures convert-image and scale-image on a drawn JPEG picture, beside ImageMagick and libvips doing the same work, each on
# one core: the same formats, the same resolutions, and JPEG and WebP of the same qualities.
# usage: scripts/bench-images.sh [<megapixels>, 50 by default]
# Set BENCH_DIR to keep the files. `convert` (ImageMagick), `vips` and `vipsthumbnail` (libvips) and /usr/bin/time are used where
# they are there; on Debian these are the packages imagemagick, libvips-tools and time.
set -euo pipefail
cd "$(dirname "$0")/.."

megapixels=${1:-50}
directory=${BENCH_DIR:-$(mktemp -d)}
[[ -n ${BENCH_DIR:-} ]] || trap 'rm -rf "$directory"' EXIT
target=${CARGO_TARGET_DIR:-target}
picture=$directory/picture-$megapixels.jpg
resolutions=(1920 1280 640 320)

cargo build --release --bin convert-image --bin scale-image
cargo build --release -p function-kit --example measure
cargo build --release -p image-kit --features testing --example draw
[[ -f $picture ]] || "$target/release/examples/draw" picture "$megapixels" "$picture"

# measured <name> <command>…: its seconds and peak memory, on one core
measured() {
  local name=$1
  shift
  /usr/bin/time -f "$name: %e s, peak memory %M KiB" taskset -c 0 "$@"
}

for function in convert-image scale-image; do
  "$target/release/examples/measure" "$target/release/$function" "$picture" "$directory/$function" taskset -c 0 |
    sed "s/^/$function: /"
done

if [[ -x /usr/bin/convert ]]; then
  export MAGICK_THREAD_LIMIT=1
  output=$directory/imagemagick
  mkdir -p "$output"
  measured "ImageMagick converts" /usr/bin/convert "$picture" -auto-orient -strip \
    \( +clone -quality 80 -write "$output/full.webp" +delete \) -define png:compression-level=1 "$output/full.png"
  scales=()
  for resolution in "${resolutions[@]}"; do
    scales+=(-filter Lanczos -resize "${resolution}x$resolution>" -quality 80 -write "$output/$resolution.webp")
  done
  measured "ImageMagick scales" /usr/bin/convert "$picture" -auto-orient -strip "${scales[@]}" null:
fi

if command -v vips vipsthumbnail > /dev/null; then
  export VIPS_CONCURRENCY=1
  output=$directory/libvips
  mkdir -p "$output"
  measured "libvips writes PNG" vips autorot "$picture" "$output/full.png[strip,compression=1,filter=all]"
  measured "libvips writes WebP" vips autorot "$picture" "$output/full.webp[strip,Q=80]"
  for resolution in "${resolutions[@]}"; do
    # It decodes a JPEG file at an eighth, a quarter or a half where that is enough.
    measured "libvips scales to $resolution" vipsthumbnail "$picture" --size "${resolution}x$resolution>" \
      -o "$output/$resolution.webp[strip,Q=80]"
  done
fi
ls -l "$directory"/*/
