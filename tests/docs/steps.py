"""The order in which the pages' commands are typed, so that few stacks serve them all."""

from __future__ import annotations

from dataclasses import dataclass

SITE = "~/site"
APP = """\
mkdir -p {folder}
cat > {folder}/app.py <<'END'
from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return "{says}"


@app.get("/health")
def health():
    return "well"
END
echo flask==3.1.3 > {folder}/requirements.txt
"""


@dataclass(frozen=True)
class Step:
    """One block, by its page and its first command, typed in `folder` (from the clone). `given`: commands for what the
    text takes for granted. `then`: commands that fail unless the block did what the page says. `stdin`: what is typed
    when something asks."""

    page: str
    begins: str
    folder: str = "."
    given: str = ""
    then: str = ""
    stdin: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return self.page, self.begins


STEPS = (
    Step("README.md", "apt-get install git make", then="curl -fsSL http://127.0.0.1:8006/ | grep Photos"),
    Step("README.md", "pulumi stack ls", then='pulumi stack ls | grep "^dev"'),
    Step("docs/contributing.md", ".venv/bin/python -m pytest tests/unit/test_settings_mistakes.py"),
    Step(
        "docs/add.md",
        "cp -R ~/shop services/shop",
        given=APP.format(folder="~/shop", says="shop"),
        then="grep -q 'app: app:app' Pulumi.yaml; git checkout -q Pulumi.yaml; rm -r services/shop",
    ),
    Step(
        "docs/settings.md",
        "slipway psql images < dump.sql",
        given="echo 'create table dumped ();' > dump.sql\n",
        then="slipway psql images -- -c 'table dumped'; rm dump.sql",
    ),
    Step(
        "docs/settings.md",
        'slipway psql --superuser images -- -c "CREATE EXTENSION postgres_fdw SCHEMA public"',
        then="slipway psql images -- -c '\\dx' | grep postgres_fdw",
    ),
    Step("README.md", "pulumi stack select --create prod", stdin="set by hand", then="pulumi config | grep secrets"),
    Step("docs/settings.md", "pulumi stack select --create prod", stdin="set by hand", then="git checkout -q ."),
    Step(
        "docs/production.md",
        "umask 077 && mkdir -p ~/backup",
        given="make up STACK=prod\nslipway exec --stack prod images -- flask --app manage seed_db\n",
        then="tar -tf ~/backup/slipway.tgz | grep slipway/passphrase; tar -tf ~/backup/uploads.tar | grep originals/",
    ),
    Step(
        "docs/production.md",
        "slipway maintenance on --stack prod",
        given="""\
slipway psql --stack prod images -- -c 'delete from picture'
slipway exec --stack prod images -- rm -r /home/app/web/media/originals
""",
        then="""\
file=$(curl -fsS http://127.0.0.1:8100/images/pictures | grep -o '/images/[^"]*/file' | head -1)
curl -fsS "http://127.0.0.1:8100$file" > /dev/null
""",
    ),
    Step("docs/examples.md", "cd examples/rooms", then="curl -fsS http://127.0.0.1:8080/rooms"),
    Step("examples/rooms/README.md", "make setup", then="! curl -fsS http://127.0.0.1:8080/rooms"),
    Step(
        "README.md",
        "slipway new ~/site",
        then="""\
cd ~/site
curl -fsS "$(pulumi stack output web_url --stack dev)" | grep "Hello from Flask"
curl -fsS "$(pulumi stack output url --stack prod)" | grep "Hello from Flask"
""",
    ),
    Step(
        "docs/tls.md",
        "pulumi stack output tls_authority --stack prod > ca.pem",
        folder=SITE,
        given=APP.format(folder="services/api", says="api")
        + """\
sed -i 's/Hello from Flask/Changed/' services/web/app.py
printf '    tls: self-signed\\n    tlsPort: 8443\\n' >> Pulumi.prod.yaml
slipway add services/api
slipway up --stack prod
""",
        then="curl -fsS --cacert ca.pem https://localhost:8443/api/ https://localhost:8443/ | grep apiChanged",
    ),
    Step(
        "docs/releases.md",
        "slipway releases --stack prod",
        folder=SITE,
        then="curl -fsS --cacert ca.pem https://localhost:8443/ | grep Changed",
    ),
    Step(
        "docs/releases.md",
        "slipway maintenance on --stack prod",
        folder=SITE,
        then="curl -fsS --cacert ca.pem https://localhost:8443/ | grep Changed",
    ),
)
