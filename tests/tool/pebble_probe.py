#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs acme_probe against Debian's Pebble: without and with EAB, with every second nonce refused. Exit 77 = Pebble is not installed."""
import json, os, shutil, socket, ssl, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fake"))
from ports import free_port

PEBBLE = "/usr/bin/pebble" if os.access("/usr/bin/pebble", os.X_OK) else shutil.which("pebble")

def make_tls(d):
    def run(*a):
        subprocess.run(["openssl", *a], cwd=d, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
        "-days", "30", "-subj", "/CN=test-https-ca", "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "srv.key", "-out", "srv.csr",
        "-subj", "/CN=localhost")
    with open(os.path.join(d, "ext"), "w") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    run("x509", "-req", "-in", "srv.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "ext",
        "-out", "srv.pem")

HMAC = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

def round(probe, d, eab, reject):
    port, management = free_port(), free_port()
    config = {"pebble": {"listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{management}",
                         "certificate": "srv.pem", "privateKey": "srv.key", "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": "",
                         "externalAccountBindingRequired": eab,
                         "externalAccountMACKeys": {"kid-1": HMAC} if eab else {}}}
    with open(os.path.join(d, "pebble.json"), "w") as f:
        json.dump(config, f)
    with open(os.path.join(d, "hmac"), "w") as f:
        f.write(HMAC + "\n")
    env = dict(os.environ, PEBBLE_VA_ALWAYS_VALID="1", PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT=str(reject),
               PEBBLE_AUTHZREUSE="0", PEBBLE_ALTERNATE_ROOTS="2", PEBBLE_CHAIN_LENGTH="2")
    log = open(os.path.join(d, "pebble.log"), "wb")
    pebble = subprocess.Popen([PEBBLE, "-config", "pebble.json", "-strict"], cwd=d, env=env, stdout=log, stderr=log)
    try:
        for _ in range(1800):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        args = [os.path.abspath(probe), f"https://127.0.0.1:{port}/dir", os.path.join(d, "ca.pem"), d]
        if eab:
            args += ["kid-1", os.path.join(d, "hmac")]
        return subprocess.run(args, timeout=900).returncode
    finally:
        pebble.terminate()
        pebble.wait()

def main():
    if not PEBBLE:
        print("pebble is not installed")
        return 77
    with tempfile.TemporaryDirectory() as d:
        make_tls(d)
        for eab, reject in ((False, 0), (False, 25), (True, 5)):  # at 50 one call in a thousand ends after its ten tries
            print(f"--- EAB {eab}, {reject} % of nonces refused", flush=True)
            r = round(sys.argv[1], d, eab, reject)
            if r:
                with open(os.path.join(d, "pebble.log")) as f:
                    print("".join(f.readlines()[-15:]))
                return r
    return 0

if __name__ == "__main__":
    sys.exit(main())
