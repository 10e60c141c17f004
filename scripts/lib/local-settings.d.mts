export interface LocalSecrets {
  readonly secretKey: string;
  readonly apiKey: string;
}
export declare function localSecrets(dataDir: string): LocalSecrets;
export declare function apiKeyEntry(name: string, role: string, key: string): string;
export declare function localPorts<Name extends string>(
  dataDir: string,
  wishes: Readonly<Record<Name, number>>,
  fixed?: Readonly<Partial<Record<Name, number>>>,
): Promise<Record<Name, number>>;
