"""Media types of files by the end of their names: what nginx says of a static file, and what Flask would.

Python's table (`mimetypes` of 3.13, which Flask asks), and after it nginx's own (conf/mime.types of 1.30) and what both
lack: fonts, source maps, newer formats. Written out, so that it depends on no image and no Python.
"""

from __future__ import annotations

import textwrap

UNKNOWN = "application/octet-stream"
TABLE = """\
application/atom+xml atom
application/dash+xml mpd
application/epub+zip epub
application/geo+json geojson
application/gzip gz tgz
application/java-archive ear jar war
application/json json map
application/ld+json jsonld
application/mac-binhex40 hqx
application/manifest+json webmanifest
application/msword doc dot wiz
application/n-quads nq
application/n-triples nt
application/oda oda
application/pdf pdf
application/pkcs7-mime p7c
application/postscript ai eps ps
application/rss+xml rss
application/toml toml
application/trig trig
application/vnd.apple.mpegurl m3u m3u8
application/vnd.google-earth.kml+xml kml
application/vnd.google-earth.kmz kmz
application/vnd.ms-excel xlb xls
application/vnd.ms-fontobject eot
application/vnd.ms-powerpoint pot ppa pps ppt pwz
application/vnd.oasis.opendocument.graphics odg
application/vnd.oasis.opendocument.presentation odp
application/vnd.oasis.opendocument.spreadsheet ods
application/vnd.oasis.opendocument.text odt
application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
application/vnd.wap.wmlc wmlc
application/wasm wasm
application/x-7z-compressed 7z
application/x-bcpio bcpio
application/x-bzip2 bz2
application/x-cocoa cco
application/x-cpio cpio
application/x-csh csh
application/x-dvi dvi
application/x-gtar gtar
application/x-hdf hdf
application/x-hdf5 h5
application/x-java-archive-diff jardiff
application/x-java-jnlp-file jnlp
application/x-latex latex
application/x-makeself run
application/x-mif mif
application/x-netcdf cdf nc
application/x-perl pm
application/x-pilot pdb prc
application/x-pkcs12 p12 pfx
application/x-pn-realaudio ram
application/x-python-code pyc pyo
application/x-rar-compressed rar
application/x-redhat-package-manager rpm
application/x-sea sea
application/x-sh sh
application/x-shar shar
application/x-shockwave-flash swf
application/x-stuffit sit
application/x-sv4cpio sv4cpio
application/x-sv4crc sv4crc
application/x-tar tar
application/x-tcl tcl tk
application/x-tex tex
application/x-texinfo texi texinfo
application/x-troff roff t tr
application/x-troff-man man
application/x-troff-me me
application/x-troff-ms ms
application/x-ustar ustar
application/x-wais-source src
application/x-x509-ca-cert crt der pem
application/x-xpinstall xpi
application/x-xz xz
application/xhtml+xml xhtml
application/xml rdf wsdl xpdl xsl
application/xslt+xml xslt
application/xspf+xml xspf
application/yaml yaml yml
application/zip zip
application/zstd zst
audio/3gpp 3gp 3gpp
audio/3gpp2 3g2 3gpp2
audio/aac aac adts ass loas
audio/basic au snd
audio/flac flac
audio/midi kar mid midi
audio/mp4 m4a
audio/mpeg mp2 mp3
audio/ogg oga ogg
audio/opus opus
audio/webm weba
audio/x-aiff aif aifc aiff
audio/x-pn-realaudio ra
audio/x-wav wav
font/collection ttc
font/otf otf
font/ttf ttf
font/woff woff
font/woff2 woff2
image/apng apng
image/avif avif
image/bmp bmp
image/gif gif
image/heic heic
image/heif heif
image/ief ief
image/jpeg jpe jpeg jpg
image/jxl jxl
image/png png
image/svg+xml svg
image/tiff tif tiff
image/vnd.microsoft.icon ico
image/vnd.wap.wbmp wbmp
image/webp webp
image/x-cmu-raster ras
image/x-jng jng
image/x-portable-anymap pnm
image/x-portable-bitmap pbm
image/x-portable-graymap pgm
image/x-portable-pixmap ppm
image/x-rgb rgb
image/x-xbitmap xbm
image/x-xpixmap xpm
image/x-xwindowdump xwd
message/rfc822 eml mht mhtml nws
model/gltf+json gltf
model/gltf-binary glb
model/vnd.usdz+zip usdz
text/calendar ics
text/css css
text/csv csv
text/html htm html shtml
text/javascript cjs js mjs
text/markdown markdown md
text/mathml mml
text/n3 n3
text/plain bat c h ksh pl srt txt
text/richtext rtx
text/rtf rtf
text/tab-separated-values tsv
text/vnd.sun.j2me.app-descriptor jad
text/vnd.wap.wml wml
text/vtt vtt
text/x-component htc
text/x-python py
text/x-rst rst
text/x-setext etx
text/x-sgml sgm sgml
text/x-vcard vcf
text/xml xml
video/mp2t ts
video/mp4 mp4
video/mpeg m1v mpa mpe mpeg mpg
video/ogg ogv
video/quicktime mov qt
video/webm webm
video/x-flv flv
video/x-m4v m4v
video/x-matroska mkv
video/x-mng mng
video/x-ms-asf asf asx
video/x-ms-wmv wmv
video/x-msvideo avi
video/x-sgi-movie movie
"""
"""A type and the ends of names that stand for it."""
TYPES = {ending: kind for kind, *endings in map(str.split, TABLE.splitlines()) for ending in endings}
"""{end of a name, in small letters and without its dot: media type}"""
TEXTS = ("application/javascript", "application/xml")
"""What is text besides text/* and *+xml: `charset=utf-8` is added to all of them, as Flask does (werkzeug's
get_content_type)."""


def http_part() -> str:
    """nginx's table, for every file that it sends itself."""
    lines = textwrap.indent(TABLE.replace("\n", ";\n"), " " * 8)
    return f"    types_hash_max_size 4096;\n    types {{\n{lines}    }}\n    default_type {UNKNOWN};\n"


def of_texts() -> str:
    """The directive for a location whose texts are in UTF-8. nginx takes text/html anyway."""
    kinds = sorted({kind for kind in TYPES.values() if is_text(kind)} - {"text/html"})
    return f"charset_types {' '.join(kinds)};"


def is_text(kind: str) -> bool:
    """Whether a browser is told in which encoding it is."""
    return kind.startswith("text/") or kind.endswith("+xml") or kind in TEXTS
