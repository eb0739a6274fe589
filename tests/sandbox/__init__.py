"""A Qualys platform and a CVM tenant on loopback: a model of two real systems, not of our code.

It is written from the public references, imports nothing of the two plugins, and speaks real HTTP.
`sandbox.Sandbox` puts everything together, for a test (`with Sandbox(apps=5) as sandbox:`) or for
`python -m tests.sandbox`:

- **the world**: `model`, `population`, `generation`, `catalog` are what there is; `scanning`,
  `evolution`, `turbulence`, `world` what happens to it day by day, on the `clock`.
- **its Qualys face**: `qualys` lets requests in; `service_request`, `criteria`, `fields`, `search`
  read and answer them; `qualys_was`, `qualys_fo`, `qualys_login` are the three sides of the API;
  `markup`, `finding_xml`, `qualys_xml`, `evidence`, `knowledge_base`, `scan_download` write XML.
- **the tenant**: `tenant` with its `tenant_*` rooms is what CVM remembers and does with a load;
  `kdi_check`, `kdi_fields`, `kdi_values`, `strict_json`, `cvm_locators` are how it reads one.
- **its CVM face**: `ciscovm` with its `ciscovm_*` rooms.
- **what may differ or go wrong**: `switches` for all that is only inferred about the two systems;
  `faults`, `fault_kinds`, `qualys_refusing`, `qualys_spoiling`, `connection`, `victims`.
- **the judge**: `oracle`, with `reading` and `tenant_view`.
- **the command line**: `options`, `keeping`, `command`, `days`.
"""
