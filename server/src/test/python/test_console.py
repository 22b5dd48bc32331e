"""The console in a real browser."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading

import pytest
from conftest import eventually
from selenium import webdriver
from selenium.webdriver.common.by import By

HOSTILE = "SELECT '<img src=x onerror=\"document.title=1\"><script>document.title=2</script>' AS hostile"
BLOCKING = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 5"

# argon2id of "password", a cheap one.
HASH = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
USERS = '[{"name": "root", "password_hash": "%s", "role": "admin"}]' % HASH


def _find(*names: str) -> str | None:
    return next((found for found in map(shutil.which, names) if found), None)


def _parts() -> tuple[str | None, str | None]:
    return _find("chromium", "chromium-browser", "google-chrome"), _find("chromedriver")


def _install() -> None:
    """A machine of tests gets Debian's; whoever is not root there has to bring a browser."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]):
        subprocess.run(["apt-get", "-q", *arguments], check=True, env=environment, timeout=600)


@pytest.fixture(scope="module")
def browser_parts() -> tuple[str, str]:
    if None in _parts():
        _install()
    chromium, driver = _parts()
    if not chromium or not driver:
        pytest.skip("needs a browser: install chromium and chromedriver (packages chromium, chromium-driver)")
    return chromium, driver


@pytest.fixture
def open_browser(browser_parts, tmp_path):
    """Starts browsers, which end with the test."""
    started = []

    def begin(width: int = 1280, height: int = 900, *more: str):
        options = webdriver.ChromeOptions()
        options.binary_location = browser_parts[0]
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / f'browser-{len(started)}'}",
            f"--window-size={width},{height}",
            *more,
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(browser_parts[1]))
        started.append(driver)
        # The real width of the page, below what a window may have.
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        return driver

    yield begin
    for driver in started:
        driver.quit()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def lake(start):
    """A server with a console, and its port."""
    port = free_port()
    server = start(environment={"HTTP_PORT": str(port), "FLIGHT_USERS": USERS}).wait()
    with login(server) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE trips AS SELECT i AS id, i * 1.5 AS km FROM range(200000) t(i)")
        cursor.execute("INSERT INTO trips SELECT i, i * 2.5 FROM range(50000) t(i)")
    return server, port


def login(server):
    return server.connect(db_kwargs={"username": "root", "password": "password"})


def texts(driver, selector: str) -> str:
    return "\n".join(element.text for element in driver.find_elements(By.CSS_SELECTOR, selector))


def errors(driver) -> list[str]:
    """What the browser complains of; each stream ends by itself, which it does not."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def run_blocking(server) -> threading.Thread:
    def run():
        try:
            with login(server) as connection, connection.cursor() as cursor:
                cursor.execute(BLOCKING)
                cursor.fetchall()
        except Exception as failure:  # noqa: BLE001 - it is to be ended
            run.failure = failure

    run.failure = None
    thread = threading.Thread(target=run, daemon=True)
    thread.run_function = run
    thread.start()
    return thread


def test_a_person_looks_and_ends_a_query(lake, open_browser):
    server, port = lake
    driver = open_browser()
    driver.get(f"http://root:password@127.0.0.1:{port}/console/")
    eventually(lambda: driver.find_element(By.ID, "live").text == "live", 60)
    assert driver.find_element(By.ID, "who").text == "root · admin"

    with login(server) as connection, connection.cursor() as cursor:
        cursor.execute(HOSTILE)
        cursor.fetchall()
    blocked = run_blocking(server)
    eventually(lambda: "onerror" in texts(driver, "#recent"), 60)
    eventually(lambda: "range(10000000)" in texts(driver, "#queries"), 60)
    # As text, and nothing else.
    assert not driver.find_elements(By.CSS_SELECTOR, "table img, table script")
    assert driver.title == "Activity · ducklake-flight"
    assert "root" in texts(driver, "#sessions")
    assert re.search(r"of [\d.]+ [MG]B", texts(driver, "#memory"))

    # Its plan.
    driver.find_element(By.CSS_SELECTOR, "#queries .sql").click()
    eventually(lambda: "planning" not in driver.find_element(By.ID, "d-plan").text, 60)
    assert "RANGE" in driver.find_element(By.ID, "d-plan").text
    assert driver.find_element(By.ID, "d-sql").text == BLOCKING
    driver.find_element(By.ID, "d-close").click()

    # It takes two clicks to end it.
    end = driver.find_element(By.CSS_SELECTOR, "#queries button.end")
    end.click()
    assert end.text == "Really?"
    end.click()
    blocked.join(60)
    assert not blocked.is_alive()
    assert "KILL" in str(blocked.run_function.failure)
    eventually(lambda: "cancelled" in texts(driver, "#recent"), 60)
    eventually(lambda: "Nothing runs." in texts(driver, "#queries"), 60)
    assert not errors(driver)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_lake_fits_on_a_telephone(lake, open_browser, scheme):
    _, port = lake
    driver = open_browser(400, 800)
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    driver.get(f"http://root:password@127.0.0.1:{port}/console/#lake")
    eventually(lambda: "trips" in texts(driver, "#tables"), 60)
    assert "250,000" in texts(driver, "#tables")
    assert driver.find_elements(By.CSS_SELECTOR, "#lake-chart .line")
    assert "inserted into table" in texts(driver, "#snapshots")
    for view in ("#lake", "#activity"):
        driver.find_element(By.CSS_SELECTOR, f"nav a[href='{view}']").click()
        wide = driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 400, (view, wide)
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 200) == (scheme == "dark")
    assert not errors(driver)


def test_it_comes_back_when_the_server_does(start, open_browser, tmp_path):
    port = free_port()
    environment = {"HTTP_PORT": str(port)}
    server = start(environment=environment).wait()
    driver = open_browser()
    driver.get(f"http://127.0.0.1:{port}/console/")
    eventually(lambda: driver.find_element(By.ID, "live").text == "live", 60)
    assert server.stop() == 0
    eventually(lambda: "trying again" in driver.find_element(By.ID, "live").text, 60)
    start(environment=environment).wait()
    eventually(lambda: driver.find_element(By.ID, "live").text == "live", 60)
