import * as v from 'valibot';
import { execute, json, selectOne, type Connection } from './database.ts';
import type { JsonObject } from './values.ts';

/** Anything that JSON can hold. */
export type SettingValue = JsonObject | readonly unknown[] | string | number | boolean | null;

const settingSchema = v.object({ value: v.string() });

export type Settings = ReturnType<typeof createSettings>;

/** Choices of the project by key, each with the schema of whoever owns it. */
export function createSettings(db: Connection) {
  const one = selectOne(
    db,
    'settings.get',
    'SELECT value FROM settings WHERE key = @key',
    settingSchema,
  );
  const upsert = execute(
    db,
    'settings.set',
    'INSERT OR REPLACE INTO settings (key, value) VALUES (@key, @value)',
  );
  return {
    /** The setting, or undefined when it was never set. */
    get: <T>(key: string, schema: v.GenericSchema<unknown, T>): T | undefined => {
      const row = one({ key });
      return row === undefined ? undefined : v.parse(json(schema), row.value);
    },
    set: (key: string, value: SettingValue): void =>
      void upsert({ key, value: JSON.stringify(value) }),
  };
}
