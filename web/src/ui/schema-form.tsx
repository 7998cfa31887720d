import { controlOf, initial, isObject, isRequired, labelOf, type Schema, variantOf, withProperty } from '../forms.js'
import { Icon } from './icon.js'

interface InputProps {
  schema: Schema
  name: string
  path: string
  value: unknown
  problems: Record<string, string>
  required: boolean
  onChange(value: unknown): void
}

/** The form of a command, made from the schema of its input. */
export function SchemaForm({
  schema,
  value,
  problems,
  onChange,
}: Pick<InputProps, 'schema' | 'value' | 'problems' | 'onChange'>) {
  return <SchemaInput schema={schema} name="" path="" value={value} problems={problems} required onChange={onChange} />
}

function SchemaInput(props: InputProps) {
  const control = controlOf(props.schema, props.name)
  if (control === 'group') return <Group {...props} />
  if (control === 'variant') return <Variant {...props} />
  if (control === 'rows') return <Rows {...props} />
  return <Scalar {...props} />
}

function Group(props: InputProps) {
  const { schema, value, path } = props
  const held = isObject(value) ? value : {}
  return (
    <div class="form-group">
      {Object.entries(schema.properties ?? {})
        .filter(([, inner]) => inner.const === undefined)
        .map(([name, inner]) => (
          <SchemaInput
            {...props}
            key={name}
            schema={inner}
            name={name}
            path={`${path}/${name}`}
            value={held[name]}
            required={isRequired(schema, name)}
            onChange={(next) => props.onChange(withProperty(held, name, next))}
          />
        ))}
      {props.problems[path] && <p class="field-problem">{props.problems[path]}</p>}
    </div>
  )
}

/** Alternatives of whole objects, told apart by their constants (`dhcp` yes or no). */
function Variant(props: InputProps) {
  const { schema, value } = props
  const options = schema.anyOf ?? []
  const at = variantOf(schema, value)
  const label = (option: Schema) =>
    Object.entries(option.properties ?? {})
      .filter(([, inner]) => inner.const !== undefined)
      .map(
        ([name, inner]) =>
          `${labelOf(name)}: ${inner.const === true ? 'yes' : inner.const === false ? 'no' : inner.const}`,
      )
      .join(', ')
  return (
    <>
      <div class="segments" role="group">
        {options.map((option, index) => (
          <button
            type="button"
            key={label(option)}
            aria-pressed={index === at}
            onClick={() => props.onChange(initial(option))}
          >
            {label(option)}
          </button>
        ))}
      </div>
      <Group {...props} schema={options[at] ?? {}} />
    </>
  )
}

function Rows(props: InputProps) {
  const { schema, value, path, name } = props
  const items = Array.isArray(value) ? value : []
  const put = (index: number, item: unknown) => props.onChange(items.map((old, at) => (at === index ? item : old)))
  return (
    <fieldset>
      <legend>{labelOf(name)}</legend>
      {items.map((item, index) => (
        <div class="form-row" key={index}>
          <span class="num quiet">{index + 1}</span>
          <SchemaInput
            {...props}
            schema={schema.items ?? {}}
            name={name}
            path={`${path}/${index}`}
            value={item}
            required
            onChange={(next) => put(index, next)}
          />
          {items.length > (schema.minItems ?? 0) && (
            <button
              type="button"
              class="icon-button"
              aria-label={`Remove ${index + 1}`}
              onClick={() => props.onChange(items.filter((_item, at) => at !== index))}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
      ))}
      {items.length < (schema.maxItems ?? 16) && (
        <button type="button" onClick={() => props.onChange([...items, initial(schema.items ?? {})])}>
          Add one
        </button>
      )}
      {props.problems[path] && <p class="field-problem">{props.problems[path]}</p>}
    </fieldset>
  )
}

function Scalar({ schema, name, path, value, problems, required, onChange }: InputProps) {
  const control = controlOf(schema, name)
  const id = `input${path.replaceAll('/', '-')}`
  const problem = problems[path]
  const typed = {
    spellcheck: false,
    value: typeof value === 'string' ? value : '',
    onInput: (event: { currentTarget: HTMLInputElement }) =>
      onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value),
    ...(schema.maxLength === undefined ? {} : { maxLength: schema.maxLength }),
  }
  const described = {
    id,
    'aria-invalid': problem !== undefined,
    ...(problem ? { 'aria-describedby': `${id}-problem` } : {}),
  }
  return (
    <div class={control === 'switch' ? 'field inline' : 'field'}>
      <label for={id}>
        {labelOf(name)}
        {!required && <span class="quiet"> optional</span>}
      </label>
      {control === 'choice' && (
        <select
          {...described}
          value={String(value ?? '')}
          onChange={(event) =>
            onChange(schema.anyOf?.find((option) => String(option.const) === event.currentTarget.value)?.const)
          }
        >
          <option value="">{required ? 'Choose …' : 'As it is'}</option>
          {schema.anyOf?.map((option) => (
            <option key={String(option.const)} value={String(option.const)}>
              {String(option.const)}
            </option>
          ))}
        </select>
      )}
      {control === 'switch' &&
        (required ? (
          <input
            {...described}
            type="checkbox"
            checked={value === true}
            onChange={(event) => onChange(event.currentTarget.checked)}
          />
        ) : (
          <select
            {...described}
            value={String(value ?? '')}
            onChange={(event) =>
              onChange(event.currentTarget.value === '' ? undefined : event.currentTarget.value === 'true')
            }
          >
            <option value="">As it is</option>
            <option value="true">On</option>
            <option value="false">Off</option>
          </select>
        ))}
      {control === 'number' && (
        <input
          {...described}
          type="number"
          inputmode="decimal"
          step={schema.type === 'integer' ? 1 : 'any'}
          min={schema.minimum}
          max={schema.maximum}
          value={typeof value === 'number' ? value : ''}
          onInput={(event) =>
            onChange(Number.isNaN(event.currentTarget.valueAsNumber) ? undefined : event.currentTarget.valueAsNumber)
          }
        />
      )}
      {control === 'secret' && <input {...described} {...typed} type="password" autocomplete="new-password" />}
      {control === 'text' && <input {...described} {...typed} type="text" autocomplete="off" />}
      {problem && (
        <p class="field-problem" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  )
}
