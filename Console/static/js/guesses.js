// Which column is probably meant, by the names that unified profiles usually have.

const USUAL = {
  email: ["email", "emailaddress", "primaryemail", "emailaddress1", "mail", "contactemail", "emailprimary", "workemail"],
  first_name: ["firstname", "givenname", "forename", "first"],
  last_name: ["lastname", "surname", "familyname", "last"],
  mobile_number: ["mobilephone", "mobilenumber", "mobile", "phonemobile", "cellphone", "mobilephonenumber", "telephone1"],
};
const SAME = [
  ["birthday", "birthdate", "dateofbirth"],
  ["postalcode", "postcode", "zip", "zipcode"],
  ["state", "stateorprovince", "province", "region"],
  ["city", "town"],
  ["country", "countryregion"],
  ["language", "preferredlanguage"],
];

const plain = (text) => text.normalize("NFKD").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

export function guessColumn(what, columns) {
  const known = columns.map((column) => [plain(column), column]);
  for (const usual of USUAL[what]) {
    const found = known.find(([text]) => text === usual);
    if (found) return found[1];
  }
  if (what !== "email") return null;
  return known.find(([text]) => text.includes("email"))?.[1] ?? null;
}

export function guessField(key, columns) {
  const wanted = plain(key);
  const names = SAME.find((group) => group.includes(wanted)) ?? [wanted];
  return columns.find((column) => names.includes(plain(column))) ?? null;
}
