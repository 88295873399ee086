import type { Json } from './schema.ts'

export function toJson(value: unknown): Json {
  return JSON.stringify(value)
}

export function fromJson<Value>(text: Json): Value {
  return JSON.parse(text) as Value
}

export function toNullableJson(value: unknown): Json | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}

export function fromNullableJson<Value>(text: Json | null): Value | null {
  return text === null ? null : (JSON.parse(text) as Value)
}
