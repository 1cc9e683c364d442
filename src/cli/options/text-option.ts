import { optionParser } from "./option-parser.ts";

const MAX_LENGTH = 100;

/** A name that somebody gives to a key, user or team: 1 to 100 printable characters. */
export const nameOption = optionParser((text) => {
  const name = text.trim();
  if (name === "" || name.length > MAX_LENGTH || /\p{Cc}/u.test(name)) {
    throw new RangeError(`write 1 to ${MAX_LENGTH} printable characters`);
  }
  return name;
});

/** An e-mail address, as far as its form can tell. */
export const emailOption = optionParser((text) => {
  const email = text.trim();
  if (/^[^\s@]+@[^\s@]+$/.test(email) && email.length <= 254) return email;
  throw new RangeError("write an e-mail address, for example ada@example.com");
});
