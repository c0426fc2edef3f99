"""The invented world of the samples: payers, carriers, providers, names, procedures with plausible prices.

Nobody is meant: tax ids and bank routing numbers use prefixes that are not assigned, and provider identifiers
start with a digit that has not been issued.
"""

from samples.model import Carrier, Payer, Provider

# fmt: off
PAYERS = (
    Payer("NHP", "NORTHFIELD HEALTH PLAN", "NFHP1", "078810412", "400 GRANARY SQUARE",
          "CALDER FALLS", "MN", "55199", "6125550142", "12", "992000014", "4400181526"),
    Payer("HBM", "HARBORLINE MUTUAL", "HBLM2", "078820523", "18 CAPSTAN WAY",
          "PORT ELLERY", "ME", "04199", "2075550117", "15", "992000030", "7719003348"),
    Payer("TGV", "TALLGRASS VALLEY BENEFIT TRUST", "TGVB3", "078830634", "PO BOX 7120",
          "MARLOW CREEK", "KS", "66299", "7855550166", "HM", "992000043", "3052216671"),
    Payer("CBA", "COPPER BASIN ADVANTAGE", "CBAD4", "078840745", "2250 ORE ROAD",
          "SALT WELLS", "NV", "89399", "7755550129", "16", "992000056", "9100467284"),
)
# fmt: on

CARRIERS = (
    Carrier("GRANITE LAKE SUPPLEMENTAL", "GLSUP"),
    Carrier("WINDROW INDEMNITY", "WDRI7"),
    Carrier("OLD FERRY LIFE AND HEALTH", "OFLH9"),
)

# fmt: off
FAMILY_NAMES = (
    "ABERNOLT", "BRINDLEMAN", "CASTERWELL", "DUNAGREE", "ELDERSHAW", "FENWICKE", "GARRIMORE", "HOLLOWELL",
    "ISHERDALE", "JANDREAU", "KESSLINGER", "LOMBARDEE", "MARCHETTO", "NAKAGORI", "OSTRANDER", "PELLICANE",
    "QUINTAVAR", "ROSENGARD", "SALVATIERRA", "THACKERBY", "UNDERMOOR", "VANDERLEY", "WINTERBORN",
    "YOUNGBLOM", "ZELENKOVA",
)
GIVEN_NAMES = (
    "ADA", "BENITO", "CARMEN", "DARNELL", "ELISE", "FELIX", "GLORIA", "HECTOR", "IMANI", "JONAH", "KEIKO",
    "LIAM", "MARISOL", "NOEL", "OPAL", "PRIYA", "QUENTIN", "ROSALIE", "SILAS", "TAMSIN", "ULYSSES",
    "VERA", "WENDELL", "XIMENA", "YUSUF", "ZORA",
)

# HCPCS/CPT code and a plausible allowed amount in cents for one unit.
PROFESSIONAL = (
    ("99213", 9850), ("99214", 13920), ("99203", 11875), ("99396", 14210), ("36415", 895),
    ("80053", 1460), ("85025", 1085), ("93000", 1790), ("71046", 3415), ("87880", 1640), ("90471", 2105),
    ("96372", 1530),
)
THERAPY = (("97110", 3045), ("97140", 2810), ("97530", 3690))
OUTPATIENT = (
    ("HC", "74176", "0352", 29840), ("HC", "70450", "0351", 17425), ("HC", "99284", "0450", 41160),
    ("NU", "0250", "", 6235), ("NU", "0270", "", 4180), ("NU", "0710", "", 21075),
)
DRUGS = (("99990010130", 1480), ("99990022590", 4275), ("99990047028", 31240))
DENIALS = (
    ("CO", "50", ("N115",)), ("CO", "29", ()), ("PR", "204", ("N130",)), ("CO", "97", ("M15",)),
    ("CO", "16", ("M76",)),
)
# fmt: on


def npi(stem: int) -> str:
    """An identifier with a right check digit, first digit 2: well formed, and not issued to anybody."""
    digits = f"2{stem % 10**8:08d}"
    doubled = "".join(str(int(d) * 2) if at % 2 == 0 else d for at, d in enumerate(reversed(digits)))
    return f"{digits}{-(24 + sum(int(d) for d in doubled)) % 10}"


# fmt: off
PAYEES = (
    Provider(npi(11020031), "CALDER FALLS FAMILY MEDICINE", "", "078911001",
             "12 MILLRACE LANE", "CALDER FALLS", "MN", "55199"),
    Provider(npi(22030042), "ELLERY COAST MEDICAL GROUP", "", "078922002",
             "77 BREAKWATER STREET", "PORT ELLERY", "ME", "04199"),
    Provider(npi(33040053), "MARLOW CREEK COMMUNITY HOSPITAL", "", "078933003",
             "900 PRAIRIE AVENUE", "MARLOW CREEK", "KS", "66299"),
)
# fmt: on

CLINICIANS = (
    Provider(npi(44050000), "HALVORSEND", "INGRID"),
    Provider(npi(44051013), "OKONJORE", "CHIDI"),
    Provider(npi(44052026), "PETRAKOVIC", "LENA"),
    Provider(npi(44053039), "SANDOVALE", "RAUL"),
    Provider(npi(44054052), "TREMBLETON", "CORA"),
    Provider(npi(44055065), "WESTERHOLT", "AMOS"),
)
