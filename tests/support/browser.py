"""A headless Chromium, driven over WebDriver."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

PACKAGES = ("chromium", "chromium-driver")
PROGRAMS = ("chromium", "chromedriver")


def install() -> None:
    """Gets Debian's Chromium where it is missing; fails the test with the command to type where that cannot be done."""
    if all(map(shutil.which, PROGRAMS)):
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.fail(f"these tests look at the site in Chromium, which is missing: sudo {' '.join(command)}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        done = subprocess.run(
            [*step, "-o", "DPkg::Lock::Timeout=300"], env=quiet, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.fail(f"{' '.join(step)}: {done.stdout}{done.stderr}")


@contextmanager
def browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in this folder."""
    install()
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (
        "--headless=new",
        "--no-sandbox",  # Chromium refuses to run as root with it
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        "--window-size=1280,900",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.set_page_load_timeout(30)
        yield driver
    finally:
        driver.quit()


def shown(page: WebDriver, selector: str) -> tuple[int, int]:
    """Width and height of a picture once the browser has drawn it; an image that cannot be had never has any."""
    picture = page.find_element(By.CSS_SELECTOR, selector)
    page.execute_script("arguments[0].scrollIntoView()", picture)
    sizes: Any = "return arguments[0].complete ? [arguments[0].naturalWidth, arguments[0].naturalHeight] : [0, 0]"
    WebDriverWait(page, 20).until(lambda _: page.execute_script(sizes, picture)[0] > 0)
    width, height = page.execute_script(sizes, picture)
    return width, height
