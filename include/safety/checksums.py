"""Check digits of numbers that name a person, a card or an account."""

from __future__ import annotations

# Lengths by country, of the registry of ISO 13616 (countries with a registered format).
_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU XK",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}


def luhn(digits: str) -> bool:
    """Tell whether the last digit checks the others (ISO/IEC 7812)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(digits[::-1])]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def iban_length(number: str) -> bool:
    """Tell whether an account number without spaces is as long as its country's are."""
    return _IBAN_LENGTHS.get(number[:2].upper()) == len(number)


def iban(number: str) -> bool:
    """Tell whether an account number without spaces is one of ISO 13616."""
    turned = number[4:] + number[:4]
    return iban_length(number) and int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def spanish(number: str) -> bool:
    """Tell whether a Spanish identity number (DNI, NIE) ends in its letter."""
    digits = number[:-1].upper().translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1].upper()


def french(number: str) -> bool:
    """Tell whether 15 characters are a French social-security number (NIR)."""
    digits = number.upper().replace("2A", "19").replace("2B", "18")
    return digits.isdigit() and 97 - int(digits[:13]) % 97 == int(digits[13:])


def chinese(number: str) -> bool:
    """Tell whether 18 characters are a Chinese resident number (ISO 7064, mod 11-2)."""
    weighted = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(number[:17]))
    return "10X98765432"[weighted % 11] == number[17].upper()


def brazilian(number: str) -> bool:
    """Tell whether 11 digits are a Brazilian taxpayer number (CPF)."""
    if len(set(number)) == 1:
        return False
    for length in (9, 10):
        weighted = sum(int(number[place]) * (length + 1 - place) for place in range(length))
        if weighted * 10 % 11 % 10 != int(number[length]):
            return False
    return True


def dutch(number: str) -> bool:
    """Tell whether 9 digits are a Dutch citizen number (BSN)."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))
    return total % 11 == 0 and number != "000000000"


def british_health(number: str) -> bool:
    """Tell whether 10 digits are a British health-service number (NHS)."""
    weighted = sum(int(digit) * (10 - place) for place, digit in enumerate(number[:9]))
    return (11 - weighted % 11) % 11 == int(number[9])
