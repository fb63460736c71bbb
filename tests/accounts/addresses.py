"""Where a person might be sent after logging in: by a link of ours, or by somebody else's."""

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/inbox\\..\\evil",
    "http://evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/\t/evil.example",
    "/\r\n/evil.example",
    " //evil.example",
    "//[",
    "http://[",
    "@evil.example",
    "",
]
ENCODED = [
    "/%2Fevil.example",
    "/%5Cevil.example",
    "/..//evil.example",
    "/.//evil.example",
    "/%09/evil.example",
]
OURS = [
    "/inbox",
    "/deviations/BLE-2026-7K3Q9X",
    "/deviations?direction=in&page=2",
    "/figures?from=2024-01#chart",
]
