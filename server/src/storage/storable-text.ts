import { PatchbayError } from '../core/errors.ts'

/**
 * Text from outside that must not be refused, without the one character that PostgreSQL cannot store: what an event
 * tells of, or what a service calls an account.
 */
export function storable<Text extends string | null>(text: Text): Text {
  return (text === null ? null : text.replaceAll('\0', '\uFFFD')) as Text
}

/** Refuses everywhere what one engine could not store: silently replaced, two user ids could become one. */
export function checkStorable(parameters: readonly unknown[]): void {
  for (const parameter of parameters) {
    if (typeof parameter === 'string' && parameter.includes('\0')) {
      throw new PatchbayError(
        'invalid_input',
        'A value holds the NUL character (U+0000), which cannot be stored; leave it out.',
      )
    }
  }
}
