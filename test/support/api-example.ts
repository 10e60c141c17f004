/** A start's input made of the form's own examples: what the dashboard fills in. */

interface Schema {
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

export async function exampleInput(
  get: (path: string) => Promise<Response>,
  workflow: string,
): Promise<unknown> {
  const { input } = (await (await get(`/v1/workflows/${workflow}`)).json()) as { input: Schema };
  return exampleOf(input);
}

function exampleOf(schema: Schema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.items !== undefined) return [exampleOf(schema.items)];
  const required = Object.entries(schema.properties ?? {}).filter(([name]) =>
    schema.required?.includes(name),
  );
  return Object.fromEntries(required.map(([name, inner]) => [name, exampleOf(inner)]));
}
