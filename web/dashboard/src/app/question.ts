import { graphql } from '../gql';

/** Who is there: the first thing that is asked. */
export const SESSION = graphql(`
  query Session {
    viewer {
      user {
        id
        name
        email
        emailVerified
        totpEnabled
        avatarUrl
      }
      workspaces {
        id
        slug
        name
        viewerRole
      }
    }
  }
`);
