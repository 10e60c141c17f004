/** Small zod pieces for Microsoft's answers: absent and null are one thing, enums come in any letter case. */
import { z } from 'zod';

/** The value, or null when it is absent or null. */
export function nullable<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? null);
}

/** The list, or an empty one when it is absent or null. */
export function listOf<Schema extends z.ZodType>(schema: Schema) {
  return z
    .array(schema)
    .nullish()
    .transform((value) => value ?? []);
}

/** One of the values, written in any letter case; a value not in the list does not parse. */
export function enumOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.string().transform((text, context): Values[number] => {
    const known = values.find((value) => value.toLowerCase() === text.toLowerCase());
    if (known !== undefined) return known;
    context.addIssue({ code: 'custom', message: `is none of ${values.join(', ')}` });
    return z.NEVER;
  });
}

/** A GUID in lower case: Microsoft writes the same id in both. */
export const guid = z.guid().transform((value) => value.toLowerCase());

/** An error or item code, number or text, as text. */
export const codeText = z.union([z.string(), z.number()]).transform(String);

/** The answer's body is of no interest (204, or an echo). */
export const ignored = z.unknown().transform(() => undefined);
