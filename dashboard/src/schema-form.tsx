/** A form made of a JSON Schema: what the API takes is what the form asks for. */
import { useId } from 'preact/hooks';
import { Icon } from './icons.tsx';
import type { JsonSchema } from './types.ts';
import { humanise, optionWords } from './words.ts';

export type FieldErrors = ReadonlyMap<string, string>;

interface FieldProps {
  readonly schema: JsonSchema;
  readonly name: string;
  readonly pointer: string;
  readonly value: unknown;
  readonly required: boolean;
  readonly errors: FieldErrors;
  onChange(value: unknown): void;
}

/** The fields of an object schema. `hidden` names those that are filled in already and not for editing. */
export function SchemaFields(props: {
  readonly schema: JsonSchema;
  readonly value: unknown;
  readonly pointer?: string;
  readonly hidden?: ReadonlySet<string>;
  /** Nothing has to be filled in as long as nothing is. */
  readonly optional?: boolean;
  readonly errors: FieldErrors;
  onChange(value: unknown): void;
}) {
  const { schema, pointer = '', errors, hidden, optional = false } = props;
  const value = isObject(props.value) ? props.value : {};
  const shown = Object.entries(schema.properties ?? {}).filter(([name]) => hidden?.has(name) !== true);
  return (
    <>
      {shown.map(([name, inner]) => (
        <Field
          key={name}
          schema={inner}
          name={name}
          pointer={`${pointer}/${name}`}
          value={value[name]}
          required={!optional && (schema.required?.includes(name) ?? false)}
          errors={errors}
          onChange={(next) => props.onChange({ ...value, [name]: next })}
        />
      ))}
    </>
  );
}

/** What a form begins with: examples and defaults of what must be filled in. */
export function initialValue(schema: JsonSchema): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.properties !== undefined) {
    const required = Object.entries(schema.properties).filter(
      ([name, inner]) => schema.required?.includes(name) || (isPlain(inner) && inner.examples !== undefined),
    );
    return Object.fromEntries(required.map(([name, inner]) => [name, initialValue(inner)]));
  }
  if (schema.type === 'array' && schema.items !== undefined) return [initialValue(schema.items)];
  return undefined;
}

function Field(props: FieldProps) {
  const schema = asFields(withoutNull(props.schema));
  if (schema.properties !== undefined) return <ObjectField {...props} schema={schema} />;
  if (schema.type === 'array' && schema.items?.properties !== undefined)
    return <RowsField {...props} schema={schema} />;
  return <PlainField {...props} schema={schema} />;
}

function ObjectField(props: FieldProps) {
  const { schema, name, required } = props;
  const value = props.value ?? schema.default;
  const fields = (
    <div class="fields">
      <SchemaFields
        schema={schema}
        pointer={props.pointer}
        value={value}
        // A field that must be filled in, out of sight in something left out, would hold the form up unseen.
        optional={!required && isEmpty(value)}
        errors={props.errors}
        onChange={(next) => props.onChange(!required && isEmpty(next) ? undefined : next)}
      />
    </div>
  );
  const hasError = [...props.errors.keys()].some((pointer) => pointer.startsWith(`${props.pointer}/`));
  if (required)
    return (
      <fieldset>
        <legend>{labelOf(schema, name)}</legend>
        {fields}
      </fieldset>
    );
  return (
    <details open={hasError}>
      <summary>
        {labelOf(schema, name)} <span class="faint">optional</span>
      </summary>
      {fields}
    </details>
  );
}

function RowsField(props: FieldProps) {
  const { schema, name, onChange, pointer, errors } = props;
  const rows = Array.isArray(props.value) ? props.value : Array.isArray(schema.default) ? schema.default : [];
  const item = schema.items ?? {};
  const replace = (index: number, next: unknown) =>
    onChange(rows.map((row, at) => (at === index ? next : row)));
  return (
    <fieldset>
      <legend>{labelOf(schema, name)}</legend>
      <ErrorText pointer={pointer} errors={errors} />
      {rows.map((row, index) => (
        <div class="row-card" key={index}>
          <div class="fields">
            <SchemaFields
              schema={item}
              pointer={`${pointer}/${index}`}
              value={row}
              errors={errors}
              onChange={(next) => replace(index, next)}
            />
          </div>
          <button
            type="button"
            class="button-quiet"
            onClick={() => onChange(rows.filter((_, at) => at !== index))}
          >
            <Icon name="cross" /> Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        class="button-quiet"
        onClick={() => onChange([...rows, initialValue(item) ?? {}])}
      >
        <Icon name="plus" /> Add
      </button>
    </fieldset>
  );
}

function PlainField(props: FieldProps) {
  const { schema, name, required, pointer, errors } = props;
  const id = useId();
  const error = errors.get(pointer);
  const shown = props.value ?? schema.default;
  const described = [
    schema.description === undefined ? '' : `${id}-help`,
    error === undefined ? '' : `${id}-error`,
  ]
    .filter((part) => part !== '')
    .join(' ');
  const common = {
    id,
    required,
    'aria-invalid': error !== undefined,
    ...(described === '' ? {} : { 'aria-describedby': described }),
  };
  if (schema.type === 'boolean')
    return (
      <div class="field field-check">
        <input
          {...common}
          required={false}
          type="checkbox"
          checked={shown === true}
          onChange={(event) => props.onChange(event.currentTarget.checked)}
        />
        <label for={id}>{labelOf(schema, name)}</label>
      </div>
    );
  return (
    <div class="field">
      <label for={id}>
        {labelOf(schema, name)}
        {!required && <span class="faint"> optional</span>}
      </label>
      <Control schema={schema} common={common} shown={shown} onChange={props.onChange} />
      {schema.description !== undefined && (
        <p class="help" id={`${id}-help`}>
          {schema.description}
        </p>
      )}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

function Control(props: {
  readonly schema: JsonSchema;
  readonly common: { readonly id: string; readonly required: boolean };
  readonly shown: unknown;
  onChange(value: unknown): void;
}) {
  const { schema, common, shown, onChange } = props;
  if (schema.enum !== undefined)
    return (
      <select
        {...common}
        value={String(shown ?? '')}
        onChange={(event) => onChange(event.currentTarget.value || undefined)}
      >
        {shown === undefined && <option value="">Choose …</option>}
        {schema.enum.map((option) => (
          <option key={String(option)} value={String(option)}>
            {optionWords(String(option))}
          </option>
        ))}
      </select>
    );
  if (schema.type === 'integer' || schema.type === 'number')
    return (
      <input
        {...common}
        type="number"
        min={schema.minimum}
        max={
          schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER
            ? schema.maximum
            : undefined
        }
        step={schema.type === 'integer' ? 1 : 'any'}
        value={typeof shown === 'number' ? shown : ''}
        onInput={(event) =>
          onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.valueAsNumber)
        }
      />
    );
  if (schema.type === 'array') return <LinesControl {...props} />;
  if (schema.type !== 'string') return <JsonControl {...props} />;
  const text = typeof shown === 'string' ? shown : '';
  const change = (next: string) => onChange(next === '' ? undefined : next);
  if ((schema.maxLength ?? 0) > 400)
    return (
      <textarea
        {...common}
        rows={text.length > 200 ? 12 : 3}
        maxLength={schema.maxLength}
        value={text}
        onInput={(event) => change(event.currentTarget.value)}
      />
    );
  const input = {
    ...common,
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    value: text,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => change(event.currentTarget.value),
  };
  return schema.format === 'email' ? <input {...input} type="email" /> : <input {...input} type="text" />;
}

/** A list of plain values, one a line. */
function LinesControl({ schema, common, shown, onChange }: Parameters<typeof Control>[0]) {
  const lines = Array.isArray(shown) ? shown : [];
  const numbers = schema.items?.type === 'integer' || schema.items?.type === 'number';
  return (
    <textarea
      {...common}
      rows={Math.min(Math.max(lines.length, 2), 8)}
      placeholder="One a line"
      value={lines.join('\n')}
      onInput={(event) => {
        const next = event.currentTarget.value.split('\n').map((line) => line.trim());
        const kept = next.filter((line, index) => line !== '' || index === next.length - 1);
        const values = kept.length === 1 && kept[0] === '' ? [] : kept;
        onChange(numbers ? values.map(Number) : values);
      }}
      onChange={(event) => {
        const values = event.currentTarget.value
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '');
        onChange(numbers ? values.map(Number) : values);
      }}
    />
  );
}

/** What has no control of its own is written as JSON. */
function JsonControl({ common, shown, onChange }: Parameters<typeof Control>[0]) {
  return (
    <textarea
      {...common}
      class="mono"
      rows={3}
      placeholder="{ }"
      defaultValue={shown === undefined ? '' : JSON.stringify(shown, null, 2)}
      onChange={(event) => {
        const { value } = event.currentTarget;
        try {
          onChange(value.trim() === '' ? undefined : JSON.parse(value));
          event.currentTarget.setCustomValidity('');
        } catch {
          event.currentTarget.setCustomValidity('This is not valid JSON.');
          event.currentTarget.reportValidity();
        }
      }}
    />
  );
}

function ErrorText({ pointer, errors }: { readonly pointer: string; readonly errors: FieldErrors }) {
  const error = errors.get(pointer);
  return error === undefined ? null : <p class="field-error">{error}</p>;
}

function labelOf(schema: JsonSchema, name: string): string {
  return schema.title ?? humanise(name);
}

function withoutNull(schema: JsonSchema): JsonSchema {
  const others = schema.anyOf?.filter(({ type }) => type !== 'null');
  const [only] = others ?? [];
  return others?.length === 1 && only !== undefined ? { ...schema, ...only } : schema;
}

/** A record of known names is an object whose fields are all optional. */
function asFields(schema: JsonSchema): JsonSchema {
  const names = schema.propertyNames?.enum;
  const { additionalProperties } = schema;
  if (names === undefined || typeof additionalProperties !== 'object') return schema;
  return {
    ...schema,
    properties: Object.fromEntries(names.map((name) => [String(name), additionalProperties])),
  };
}

function isPlain(schema: JsonSchema): boolean {
  return schema.properties === undefined && schema.type !== 'array';
}

function isEmpty(value: unknown): boolean {
  return !isObject(value) || Object.values(value).every((inner) => inner === undefined);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
